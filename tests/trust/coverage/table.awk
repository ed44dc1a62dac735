# Of what llvm-cov exports, first the branches and then the lines: a line for each header, and the lines that were not
# reached, as ranges.

function share(hit, all) { return all == 0 ? "     -" : sprintf("%5.1f%%", 100 * hit / all) }

# A record is a file: "branches":[[line,column,line,column,taken,not taken,...],...],"filename":"..."
function read_branches(text,    name, n, i, part, all, place) {
    if (!match(text, /"filename":"[^"]*"/)) return
    name = substr(text, RSTART + 12, RLENGTH - 13)
    if (index(name, prefix) != 1) return
    name = substr(name, length(prefix) + 1)
    text = substr(text, 1, RSTART - 1)
    gsub(/"branches":|\[\[|\]\]/, "", text)
    n = split(text, all, /\],\[/)
    for (i = 1; i <= n; ++i) {
        if (split(all[i], part, ",") < 6) continue
        place = name ":" part[1] ":" part[2] ":"
        reach(name, place "taken", part[5])
        reach(name, place "not taken", part[6])
    }
}

function reach(name, way, count) {
    if (!(way in reached)) {
        reached[way] = 0
        ++ways[name]
    }
    if (count > 0 && !reached[way]) {
        reached[way] = 1
        ++ways_reached[name]
    }
}

function finish(    i, ranges, first, hit, all) {
    hit = all = first = 0
    ranges = ""
    for (i = 1; i <= last + 1; ++i) {
        if (i in count) {
            ++all
            if (count[i] > 0) ++hit
        }
        if ((i in count) && count[i] == 0) {
            if (!first) first = i
            end = i
        } else if (first && ((i in count) || i == last + 1)) {
            ranges = ranges " " (first == end ? first : first "-" end)
            first = 0
        }
    }
    printf "%-34s %5d %s  %5d %s %s\n", name, all, share(hit, all), ways[name], share(ways_reached[name], ways[name]), ranges
    lines += all
    lines_hit += hit
    branches += ways[name]
    branches_hit += ways_reached[name]
    split("", count)
    last = 0
}

BEGIN { printf "%-34s %5s %6s  %5s %5s  %s\n", "header", "lines", "", "branches", "", "lines not reached" }
NR == FNR { read_branches($0); next }
/^SF:/ {
    name = substr($0, 4)
    is_ours = index(name, prefix) == 1
    name = substr(name, length(prefix) + 1)
}
!is_ours { next }
/^DA:/ {
    split(substr($0, 4), part, ",")
    if (!(part[1] in count) || part[2] + 0 > count[part[1]]) count[part[1]] = part[2] + 0
    if (part[1] + 0 > last) last = part[1] + 0
}
/^end_of_record/ { finish() }
END { printf "%-34s %5d %s  %5d %s\n", "all", lines, share(lines_hit, lines), branches, share(branches_hit, branches) }
