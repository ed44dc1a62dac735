# The brewery program as a person meets it: exit code, what it says, and what is in the folder afterwards.

set(header "id,name,brewery_type,address_1,address_2,address_3,city,state_province,postal_code,country,longitude,latitude,phone,website_url,state,street")
set(data_header "id,name,brewery_type,address_1,address_2,address_3,city,state_province,postal_code,country,phone,website_url,longitude,latitude")

# brewery(<exit code> <lines on stderr> <argument>...) runs the program in WORK; sets `out` and `err`.
function(brewery expected_code expected_lines)
    execute_process(COMMAND "${BREWERY}" ${ARGN} WORKING_DIRECTORY "${WORK}" TIMEOUT 60
                    RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
    string(REGEX MATCHALL "\n" lines "${err}")
    list(LENGTH lines lines)
    if(NOT code STREQUAL expected_code OR NOT lines EQUAL expected_lines)
        message(FATAL_ERROR "brewery ${ARGN}\nexit code ${code}, expected ${expected_code}; "
                            "${lines} lines on stderr, expected ${expected_lines}\n${err}\n${out}")
    endif()
    set(out "${out}" PARENT_SCOPE)
    set(err "${err}" PARENT_SCOPE)
endfunction()

function(expect text)
    foreach(part IN LISTS ARGN)
        string(FIND "${text}" "${part}" position)
        if(position EQUAL -1)
            message(FATAL_ERROR "'${part}' is not in:\n${text}")
        endif()
    endforeach()
endfunction()

# What must hold after every run that failed: the old file is there, and nothing half-written beside it.
function(expect_old_file)
    file(READ "${WORK}/out.csv" text)
    file(GLOB partial "${WORK}/*.partial")
    if(NOT text STREQUAL "old" OR partial)
        message(FATAL_ERROR "out.csv was touched, or something is left: ${partial}\n${text}")
    endif()
endfunction()

function(expect_same first second)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${WORK}/${first}" "${WORK}/${second}"
                    COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

message(STATUS "generated rows, all of them")
brewery(0 0 --out first.csv)
expect("${out}" "GENERATED" "flowchart" "rows      9,000 of 9,000" "first.csv is complete")
file(READ "${WORK}/first.csv" text LIMIT 200)
expect("${text}" "${header}\n")

message(STATUS "what was written is data for another run, which writes the same")
brewery(0 0 --data first.csv --per-page 7 --out second.csv)
expect_same(first.csv second.csv)
brewery(0 0 --concurrency 200 --per-page 10 --latency 20 --country "united_states")
expect("${out}" "rows      6,000 of 6,000" "requests  601" "breweries.csv is complete")

if(DATA)
    message(STATUS "the real rows")
    brewery(0 0 --data "${DATA}" --country "United States" --out real.csv)
    expect("${out}" "rows      8,224 of 8,224" "requests  43")
    brewery(0 0 --data "${DATA}" --country "South Korea" --out real.csv)
    expect("${out}" "rows      61 of 61")
endif()

message(STATUS "pages that fail, until they are asked for again")
brewery(0 0 --error-rate 0.2)
file(READ "${CMAKE_CURRENT_LIST_DIR}/expected/brewery.txt" summary)  # as the tutorial shows it
string(REPLACE "\n\n" ";" summary "${summary}")
expect("${out}" ${summary})
expect_same(first.csv breweries.csv)

file(WRITE "${WORK}/out.csv" "old")

message(STATUS "pages that fail for good")
brewery(1 2 --attempts 1 --error-rate 0.05 --country "United States" --out out.csv)
expect("${err}" "brewery: fetch: page 2 failed once: " "/v1/breweries?by_country=United%20States&page=2&per_page=200" "500")
expect("${out}" "out.csv was not touched")
expect_old_file()
brewery(1 6 --attempts 2 --error-rate 1 --out out.csv)
expect("${err}" "brewery: fetch: page 1 failed 2 times: " "brewery: fetch: and 40 more errors")
expect_old_file()
brewery(1 5 --attempts 1 --timeout 2 --stall-rate 1 --country Belgium --out out.csv)
expect("${err}" "brewery: fetch: page 5 failed once: no answer within 2 s. Expected: one within --timeout")
expect_old_file()

message(STATUS "a place where nobody answers")
brewery(1 1 --url http://user:secret@127.0.0.1:1/v1/breweries --out out.csv)
expect("${err}" "brewery: count: " "http://127.0.0.1:1/v1/breweries/meta")
string(FIND "${err}${out}" "secret" position)
if(NOT position EQUAL -1)
    message(FATAL_ERROR "the password is shown:\n${err}${out}")
endif()
expect_old_file()

message(STATUS "rows that cannot be right")
file(WRITE "${WORK}/no_id.csv" "${data_header}\n1,One,,,,,,,,,,,,\n,Two,,,,,,,,,,,,\n")
brewery(1 1 --data no_id.csv --out out.csv)
expect("${err}" "brewery: parse: page 1: row 2 has no id")
file(WRITE "${WORK}/twice.csv" "${data_header}\n1,One,,,,,,,,,,,,\n1,One,,,,,,,,,,,,\n")
brewery(1 1 --data twice.csv --out out.csv)
expect("${err}" "Expected: the 2 different ones that the API announced")
brewery(1 1 --country Atlantis --out out.csv)
expect("${err}" "there are no breweries with --country 'Atlantis'")
expect_old_file()

message(STATUS "files that cannot be read or written")
brewery(1 1 --data none.csv --out out.csv)
expect("${err}" "brewery: cannot read 'none.csv'")
file(WRITE "${WORK}/other.csv" "id,name\n1,One\n")
brewery(1 1 --data other.csv --out out.csv)
expect("${err}" "brewery: other.csv:1: there is no column 'brewery_type'")
brewery(1 1 --out none/out.csv)
expect("${err}" "brewery: cannot write 'none/out.csv'")
brewery(1 1 --out .)
expect("${err}" "not a regular file")
expect_old_file()

message(STATUS "options")
brewery(0 0 --help)
expect("${out}" "--url" "--data" "--country" "--out" "--per-page" "--concurrency" "--rate" "--timeout" "--attempts"
       "--latency" "--error-rate" "--stall-rate")
foreach(nonsense IN ITEMS --bogus --per-page=0 --per-page=201 --per-page=x --concurrency=0 --concurrency=1001
        --rate=0 --rate=-1 --rate=nan --rate=1e9 --timeout=0 --timeout=-1 --timeout=inf --timeout=x --attempts=0
        --attempts=-1 --attempts=101 --attempts=1.5
        --latency=-1 --latency=1.5 --error-rate=nan --error-rate=2 --stall-rate=-0.1 --out= --country= --url=here --url=http://)
    brewery(1 1 ${nonsense} --out out.csv)
    expect("${err}" "brewery: ")
endforeach()
brewery(1 1 --rate 0 --out out.csv)
expect("${err}" "brewery: --rate: '0'. Expected: a number from 0.001 to 1000000")
brewery(1 1 --timeout -1 --out out.csv)
expect("${err}" "brewery: --timeout: '-1'. Expected: a number from 0.001 to 3600")
brewery(1 1 --attempts 0 --out out.csv)
expect("${err}" "brewery: --attempts: '0'. Expected: a whole number from 1 to 100")
brewery(1 1 --url http://127.0.0.1:1/ --data first.csv --out out.csv)
expect("${err}" "--data")
expect_old_file()

find_program(shell sh)
if(shell)
    message(STATUS "signals")
    # The first one stops the graph, which finishes what is in flight; the second one does not wait for that.
    file(WRITE "${WORK}/interrupt.sh" [[
        brewery=$1 signal=$2 times=$3; shift 3
        wait_for() { until grep -q "$1" "$2"; do sleep 0.05; done; }
        : >out.txt >err.txt
        "$brewery" --out out.csv "$@" >out.txt 2>err.txt & process=$!
        wait_for 'fetch.*in=[1-9]' out.txt
        kill -$signal $process
        if test $times = 2; then wait_for drains err.txt; kill -$signal $process; fi
        wait $process
        code=$?
        cat err.txt >&2
        exit $code
    ]])
    function(interrupt expected_code expected_text)
        execute_process(COMMAND "${shell}" interrupt.sh "${BREWERY}" ${ARGN} WORKING_DIRECTORY "${WORK}" TIMEOUT 50
                        RESULT_VARIABLE code ERROR_VARIABLE err)
        if(NOT code STREQUAL expected_code)
            message(FATAL_ERROR "interrupt ${ARGN}: exit code ${code}, expected ${expected_code}\n${err}")
        endif()
        expect("${err}" "the run drains. Another signal, or 10 s, cancels it." "brewery: stopped by signal" "${expected_text}")
        expect_old_file()
    endfunction()
    interrupt(130 "what was under way was finished" INT 1 --latency 300 --per-page 20 --concurrency 4)
    interrupt(143 "what was under way was finished" TERM 1 --latency 300 --per-page 20 --concurrency 4)
    interrupt(130 "pages given up under way: " INT 2 --latency 60000)
endif()
