# Where compilers are had from, for tests/trust/matrix/run: "here", and folders with other releases of Debian in them.

# First GCC and first Clang to be taken from each place; what is older comes from the place before.
declare -A first_gcc=([here]=12 [trixie]=13 [sid]=15) first_clang=([here]=16 [trixie]=17 [sid]=20)
place_packages=(cmake ninja-build libasio-dev libfmt-dev catch2 libcurl4-openssl-dev libc++-dev libc++abi-dev)

# mirror: where this machine's apt has Debian from.
mirror() {
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' 'Label: Debian' | sed -n 1p
}

# in_place PLACE COMMAND...: runs it in the checkout, which a laid place sees under the same name. What is mounted for that
# is seen by the command alone, and is gone after it.
in_place() {
    local place=$1
    shift
    if [ "$place" = here ]; then
        env -C "$root" LC_ALL=C "$@"
        return
    fi
    unshare --mount --propagation private bash -c '
        set -eu
        into=$1 checkout=$2
        shift 2
        mkdir -p "$into$checkout"
        mount -t proc proc "$into/proc"
        mount --bind "$checkout" "$into$checkout"
        exec chroot "$into" env -i -C "$checkout" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
    ' in_place "$places/$place" "$root" "$@"
}

# lay PLACE: lays a release of Debian into its folder, unless that was done, and installs the compilers that it offers.
lay() {
    local place=$1 into="$places/$1" proxy
    if ! [ -e "$into/laid" ]; then
        rm -rf "$into"
        mkdir -p "$into"
        proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
        quietly "Laying Debian $place into $into" env ${proxy:+"http_proxy=$proxy"} debootstrap --variant=minbase "$place" "$into" \
            "$(mirror)" || return
        rm -f "$into/etc/resolv.conf" # perhaps a link to nowhere
        cp -L /etc/resolv.conf /etc/hosts "$into/etc/"
        # How this machine's apt reaches its mirror holds there as well.
        apt-config dump | grep -E '^Acquire::([a-z]+::)*([Pp]roxy|Check-[A-Za-z-]+)[^ ]* "[^"]' >"$into/etc/apt/apt.conf.d/99machine" || true
        touch "$into/laid"
    fi
    if ! [ -e "$into/filled" ]; then
        quietly "Updating the lists of Debian $place" in_place "$place" apt-get update || return
        local packages=("${place_packages[@]}") package
        for package in $(in_place "$place" apt-cache search --names-only '^(g\+\+|clang)-[0-9]+$' | sed 's/ .*//' | sort -V); do
            case $package in
            g++-*) [ "${package##*-}" -ge "${first_gcc[$place]}" ] || continue ;;
            *) [ "${package##*-}" -ge "${first_clang[$place]}" ] || continue ;;
            esac
            packages+=("$package")
        done
        quietly "Installing ${packages[*]}" in_place "$place" apt-get install --yes --no-install-recommends "${packages[@]}" || return
        touch "$into/filled"
    fi
}

# compilers PLACE: those that are to be tried there.
compilers() {
    local compiler
    for compiler in $(in_place "$1" sh -c 'ls /usr/bin/g++-[0-9]* /usr/bin/clang++-[0-9]* 2>/dev/null' | sed 's,.*/,,' | sort -V); do
        case $compiler in
        g++-*) [ "${compiler##*-}" -ge "${first_gcc[$1]}" ] || continue ;;
        *) [ "${compiler##*-}" -ge "${first_clang[$1]}" ] || continue ;;
        esac
        echo "$compiler"
    done
}
