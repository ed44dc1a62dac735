# What tests/trust/matrix/run tries. A combination is a line "place|compiler|flags|asio|what": what is "runs" or the text
# of the error with which it must be refused, asio is empty for the place's own.

# find_places: fills tried_places, and says what cannot be had.
find_places() {
    local place
    tried_places=(here) not_tried=()
    install_packages "${agdf_packages[@]}"
    if is_asked_for here; then # one by one, since another release may lack one of them
        install_packages clang-16
        install_packages clang-19 libc++-19-dev libc++abi-19-dev
        if [ -z "$short" ]; then install_packages g++-11; fi
    fi
    for place in trixie sid; do
        if ! is_asked_for "$place" || { [ -n "$short" ] && ! { [ -n "$places_given" ] && [ -e "$places/$place/filled" ]; }; }; then
            continue
        elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null || [ -z "$(mirror)" ]; then
            not_tried+=("Debian $place: to lay it takes root, and an apt that has Debian from somewhere.")
        elif install_packages debootstrap && lay "$place"; then
            tried_places+=("$place")
        else
            not_tried+=("Debian $place: it could not be laid.")
        fi
    done
}

# is_asked_for PLACE: not if --only begins with another.
is_asked_for() {
    local text
    for text in ${only[@]+"${only[@]}"}; do
        case $text in here* | trixie* | sid*) [ "${text%% *}" = "$1" ] || return 1 ;; esac
    done
}

# copy_asio: the directories of --asio, where a laid place can see them.
copy_asio() {
    local directory version
    rm -rf "$work/asio"
    mkdir -p "$work/asio"
    asio_versions=()
    for directory in ${asio_directories[@]+"${asio_directories[@]}"}; do
        version=$(asio_version "$directory/asio/version.hpp")
        cp -RL "$directory" "$work/asio/$version"
        asio_versions+=("$version")
    done
}

asio_version() { sed -n 's,^#define ASIO_VERSION .*// \([0-9.]*\).*,\1,p' "$1"; }

# with_libcxx PLACE CLANG: whether that Clang has the libc++ that is installed there.
with_libcxx() { in_place "$1" test -e "/usr/lib/llvm-${2##*-}/include/c++/v1/version"; }

accepts() { in_place "$1" sh -c "echo | $2 $3 -x c++ -fsyntax-only - 2>/dev/null"; }

is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | sed -n 1p)" = "$1" ]; }

# chosen: of the lines, those that --only asks for.
chosen() {
    local line text
    while IFS= read -r line; do
        for text in "${only[@]}"; do
            case "${line//|/ }" in *"$text"*) ;; *) continue 2 ;; esac
        done
        echo "$line"
    done
}

# older_libstdcxx PLACE GCC: whether it links another libstdc++ than the one that the place's libraries are made for and
# that programs run with.
older_libstdcxx() { in_place "$1" sh -c 'ls -l /usr/lib/gcc/*/"$1"/libstdc++.so | grep -q "^-"' older "${2##*-}" 2>/dev/null; }

# Every standard, without RTTI, with libc++, and other Asios: one program each, all tests where it matters most.
of_compiler() {
    local place=$1 compiler=$2 standard version what plain=-std=c++20
    case $compiler in g++-*) if older_libstdcxx "$place" "$compiler"; then plain+=' -Wl,--no-as-needed -l:libstdc++.so.6'; fi ;; esac
    echo "$place|$compiler|$plain||tests"
    for standard in 23 2b 2c; do
        if [ "$standard" = 2b ] && accepts "$place" "$compiler" -std=c++23; then continue; fi
        if accepts "$place" "$compiler" "-std=c++$standard"; then echo "$place|$compiler|${plain/20/$standard}||runs"; fi
    done
    echo "$place|$compiler|$plain -fno-rtti||runs"
    echo "$place|$compiler|$plain -fno-exceptions||agdf: exceptions are off"
    echo "$place|$compiler|-std=c++17||agdf: C++20 coroutines are off"
    if [ "${compiler%-*}" = clang++ ] && with_libcxx "$place" "$compiler"; then
        # The compiled fmt and Catch2 3 of a distribution are for libstdc++; Catch2 2 is a header.
        what=$(if [ "$place" = here ]; then echo tests; else echo runs; fi)
        echo "$place|$compiler|$plain -stdlib=libc++ -DFMT_HEADER_ONLY||runs"
        echo "$place|$compiler|$plain -stdlib=libc++ -DFMT_HEADER_ONLY -fexperimental-library||$what"
    fi
    for version in ${asio_versions[@]+"${asio_versions[@]}"}; do
        what=$(if [ "$compiler" = g++-12 ]; then echo tests; else echo runs; fi)
        if is_older "$version" 1.22.1; then what='agdf: this Asio is too old'; fi
        echo "$place|$compiler|$plain|$version|$what"
    done
}

# shortened: without what is least likely to fail alone or is tested elsewhere all the time; one program for each of the rest.
shortened() {
    sed 's/|tests$/|runs/' | if [ -n "$places_given" ]; then cat; else
        grep -vE '^here\|(g\+\+-12\|-std=c\+\+20|clang\+\+-16\|-std=c\+\+(2b|20 -fno-rtti)|clang\+\+-19\|-std=c\+\+(20|23))\|\|runs$'
    fi
}

combinations() {
    local place compiler
    for place in "${tried_places[@]}"; do
        if in_place "$place" test -e /usr/bin/g++-11; then echo "$place|g++-11|-std=c++20||agdf: this GCC is too old"; fi
        for compiler in $(compilers "$place"); do
            of_compiler "$place" "$compiler"
        done
    done | if [ -n "$short" ]; then shortened; else cat; fi | chosen
}
