# How tests/trust/matrix/run tries a combination, and what it prints.

write_every_header() {
    mkdir -p "$work/include"
    {
        echo '#pragma once'
        (cd "$root/include" && find agdf -name '*.hpp' ! -path 'agdf/http/*' | sort | sed 's/.*/#include <&>/')
        echo '#if __has_include(<curl/curl.h>)'
        (cd "$root/include" && find agdf/http -name '*.hpp' | sort | sed 's/.*/#include <&>/')
        echo '#endif'
    } >"$work/include/every_header.hpp"
}

# refused COMPILER TEXT FLAGS...: must not compile, with the text in its first error.
refused() {
    local compiler=$1 text=$2 log="$directory/refused.log" first
    shift 2
    if in_place "$place" "$compiler" "$@" -Wfatal-errors -fdiagnostics-color=never -fsyntax-only tests/odr/second.cpp >"$log" 2>&1; then
        echo "COMPILES, though it must be refused"
        return 1
    fi
    first=$(grep -m 1 'error: ' "$log" || true)
    if [[ $first != *"$text"* ]]; then
        echo "FAILS with another error: ${first#*error: }"
        return 1
    fi
    echo "refused: \"${text}\""
}

# small COMPILER FLAGS...: small.cpp, with warnings as errors.
small() {
    local libraries=(-pthread)
    case " $* " in *' -DFMT_HEADER_ONLY '*) ;; *) libraries+=(-lfmt) ;; esac
    if in_place "$place" sh -c 'ls /usr/include/curl/curl.h /usr/include/*/curl/curl.h 2>/dev/null | grep -q .'; then libraries+=(-lcurl); fi
    if ! in_place "$place" "$@" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror tests/trust/matrix/small.cpp \
        -o "$directory/small" "${libraries[@]}" >"$directory/small.log" 2>&1; then
        echo "DOES NOT COMPILE: $(grep -m 1 -E 'error|undefined' "$directory/small.log")"
        return 1
    fi
    if [ "$(in_place "$place" timeout 60 "$directory/small" 2>>"$directory/small.log")" != 'agdf ran' ]; then
        echo "COMPILES, DOES NOT RUN: $(tail -n 1 "$directory/small.log")"
        return 1
    fi
    echo 'compiles without a warning, and runs'
}

# tests COMPILER FLAGS...: the first program, all of the core's tests, and what must not compile.
tests() {
    local compiler=$1 options=() log="$directory/tests.log" summary
    shift
    options=(-G Ninja "-DCMAKE_CXX_COMPILER=$compiler" "-DCMAKE_CXX_FLAGS=$*" -DAGDF_HTTP=OFF -DAGDF_WERROR=ON)
    if [ -n "$asio" ]; then options+=("-DAsio_INCLUDE_DIR=$asio"); fi
    if ! { in_place "$place" cmake -S . -B "$directory/build" "${options[@]}" &&
        in_place "$place" cmake --build "$directory/build" --target agdf_tests agdf_signals_pipeline quickstart --parallel "$jobs" -- -k 0 &&
        in_place "$place" "$directory/build/examples/quickstart"; } >"$log" 2>&1; then
        echo "THE TESTS DO NOT COMPILE: $(grep -m 1 -E 'error|undefined' "$log")"
        return 1
    fi
    in_place "$place" ctest --test-dir "$directory/build" --label-regex '^(core|compile_fail)$' --exclude-regex '^two translation' \
        --parallel "$jobs" --output-on-failure >>"$log" 2>&1 || true
    summary=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log")
    if [ "${summary%% *}" != 0 ]; then
        echo "${summary%% *} OF ${summary##* } TESTS FAIL: $(sed -n '/The following tests FAILED/,$s/^[\t ]*[0-9]* - \(.*\) (.*/\1/p' "$log" | sed -n 1p)"
        return 1
    fi
    echo "${summary##* } tests pass"
}

# try_one LINE DIRECTORY: its result in words.
try_one() {
    local place compiler words asio what directory=$2 flags
    IFS='|' read -r place compiler words asio what <<<"$1"
    rm -rf "$directory"
    mkdir -p "$directory"
    asio=${asio:+"$work/asio/$asio"}
    read -ra flags <<<"$words -DASIO_STANDALONE ${asio:+-isystem $asio}"
    case $what in
    runs) small "$compiler" "${flags[@]}" -Iinclude "-I$work/include" ;;
    tests)
        small "$compiler" "${flags[@]}" -Iinclude "-I$work/include" >"$directory/result" || { cat "$directory/result"; return 1; }
        tests "$compiler" ${words#-std=c++20}
        ;;
    *) refused "$compiler" "$what" "${flags[@]}" -Iinclude "-I$work/include" ;;
    esac
}

# versions LINE: of the compiler, Asio, fmt and Catch2, as cells of the table.
versions() {
    local place compiler words asio what
    IFS='|' read -r place compiler words asio what <<<"$1"
    in_place "$place" sh -c '
        for file in "$2/asio/version.hpp" /usr/include/fmt/base.h /usr/include/fmt/core.h; do
            [ ! -e "$file" ] || sed -n "s,^# *define \(ASIO_VERSION\|FMT_VERSION\)  *\([0-9]*\).*,\1 \2,p" "$file"
        done
        "$1" -dumpfullversion -dumpversion' versions "$compiler" "${asio:+$work/asio/}${asio:-/usr/include}" | awk '
        $1 == "ASIO_VERSION" { asio = int($2 / 100000) "." int($2 / 100) % 1000 "." $2 % 100 }
        $1 == "FMT_VERSION" { fmt = int($2 / 10000) "." int($2 / 100) % 100 "." $2 % 100 }
        NF == 1 { compiler = $1 }
        END { print compiler " | " asio " | " fmt }'
}

# try_all: each combination, `jobs` of them at a time if they are small; then the table. Fails if one of them does.
try_all() {
    local lines=() under_way=0 failed=0 line place compiler words asio what
    mapfile -t lines < <(combinations)
    if [ ${#lines[@]} -eq 0 ]; then
        say "tests/trust/matrix/run: no combination is left to try. Expected: at least one. See tests/trust/matrix/run --list."
        return 1
    fi
    for line in "${lines[@]}"; do
        if [ "$under_way" -ge "$jobs" ] || [[ $line == *'|tests' ]]; then wait && under_way=0; fi
        say "${line//|/ } ..."
        rm -f "$(folder_of "$line").failed"
        { try_one "$line" "$(folder_of "$line")" >"$(folder_of "$line").result" || touch "$(folder_of "$line").failed"; } &
        under_way=$((under_way + 1))
        if [[ $line == *'|tests' ]]; then wait && under_way=0; fi
    done
    wait
    echo "| where | compiler | version | Asio | fmt | flags | $(date -u +%F) |"
    echo '|---|---|---|---|---|---|---|'
    for line in "${lines[@]}"; do
        IFS='|' read -r place compiler words asio what <<<"$line"
        echo "| $(name_of "$place") | $compiler | $(versions "$line") | $words | $(cat "$(folder_of "$line").result") |"
        if [ -e "$(folder_of "$line").failed" ]; then failed=$((failed + 1)); fi
    done
    for line in ${not_tried[@]+"${not_tried[@]}"}; do
        echo "Not tried: $line"
    done
    if [ "$failed" -gt 0 ]; then
        echo "$failed of ${#lines[@]} combinations failed; their logs are under $work."
        return 1
    fi
    echo "All of ${#lines[@]} combinations came out as they should."
}

folder_of() { printf '%s/%s' "$work" "$(printf '%s' "$1" | tr -cs 'a-zA-Z0-9.+-' '_')"; }

# name_of PLACE: "debian bookworm".
name_of() {
    if [ "$1" = here ]; then
        (. /etc/os-release && echo "${ID-} ${VERSION_CODENAME:-${VERSION_ID-}}")
    else
        echo "debian $1"
    fi
}
