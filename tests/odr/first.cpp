// Macros of X11/X.h and X11/Xlib.h, which a program may have included before.
#define Above 0
#define Always 2
#define Bool int
#define Complex 0
#define Convex 2
#define CurrentTime 0L
#define Expose 12
#define False 0
#define FocusIn 9
#define None 0L
#define Status int
#define Success 0
#define True 1
#define Unsorted 0

#include "every_header.hpp"

int second();

int main() { return second(); }
