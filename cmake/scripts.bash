# What examples/run, tests/run and .ci/run have in common; "source" it with root set to the checkout.

# Debian's and Ubuntu's names for all that is needed here. Elsewhere CMake fetches the libraries.
agdf_packages=(g++ cmake ninja-build libasio-dev libfmt-dev catch2 libcurl4-openssl-dev libcpp-httplib-dev
    nlohmann-json3-dev libcli11-dev)

say() { printf '%s\n' "$*" >&2; }

# help_of SCRIPT ARGUMENT...: prints what stands at the script's head, and ends it, if the first argument is --help.
help_of() {
    if [ "${2:-}" != --help ]; then return; fi
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"
    exit
}

# quietly WHAT COMMAND...: says what is going on in one line, and shows the command's output only if it fails.
quietly() {
    local what=$1 log status=0
    shift
    say "$what ..."
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
        say "$what: failed."
    fi
    rm -f "$log"
    return "$status"
}

# Where there is apt: installs those of the packages that are missing. If that cannot be, says so and goes on, since
# CMake may find or fetch the libraries in another way.
install_packages() {
    local missing=() package
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || return 0
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *' ok installed') ;;
        *) missing+=("$package") ;;
        esac
    done
    if [ ${#missing[@]} -gt 0 ] && ! apt_install "${missing[@]}"; then
        say "Going on without them. As root, this helps: apt-get install ${missing[*]}"
    fi
}

apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
    say "Missing: $*"
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "Neither root nor sudo is here to install them."
            return 1
        fi
        sudo -v || return # asks for a password while its question can be seen
        apt=(sudo "${apt[@]}")
    fi
    # New lists are asked for only if the ones at hand do not do.
    apt+=(--yes --no-install-recommends)
    say "Installing them ..."
    "${apt[@]}" install "$@" >/dev/null 2>&1 </dev/null && return
    quietly "Updating apt's lists" "${apt[@]}" update && quietly "Installing them" "${apt[@]}" install "$@"
}

# build_search TARGET [SANITIZER]: builds a search of tests/trust; all of them share a directory, which is in `directory` then.
build_search() {
    local target=$1 sanitizer=${2:-} optimise=-O1 # more would only take long to compile
    directory="$root/build/trust${sanitizer:+-$sanitizer}"
    install_packages "${agdf_packages[@]}"
    build "$directory" "$target" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="$optimise" -DAGDF_SANITIZE="$sanitizer" \
        -DAGDF_BUILD_TRUST=ON -DAGDF_BUILD_TESTS=OFF
}

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# build DIRECTORY TARGET [CMAKE OPTION...]: configures where that was not done yet, and builds.
build() {
    local directory=$1 target=$2 generator=() tool
    shift 2
    for tool in cmake "${CXX:-c++}"; do
        if ! command -v "${tool%% *}" >/dev/null; then
            say "There is no '$tool'. Expected: CMake 3.24 or later and a C++20 compiler (GCC 12, Clang 16 or later)."
            return 1
        fi
    done
    if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$directory/CMakeCache.txt" ||
        { ! [ -e "$directory/build.ninja" ] && ! [ -e "$directory/Makefile" ]; }; then
        if command -v ninja >/dev/null; then generator=(-G Ninja); fi
        rm -rf "$directory" # of a checkout that was moved here, or of a configuration that failed
        quietly "Configuring $directory" cmake -S "$root" -B "$directory" ${generator[@]+"${generator[@]}"} "$@" || return
    fi
    quietly "Building $directory" cmake --build "$directory" --target "$target" --parallel "$(cores)"
}
