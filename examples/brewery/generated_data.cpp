#include "data_set.hpp"
#include "dice.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brewery {
namespace {

struct Place {
    std::string_view city, state, postal_code, country, phone;
    double longitude, latitude;
};

constexpr std::array<Place, 9> places{{
    {"Portland", "Oregon", "97201", "United States", "503555{:04}", -122.6784, 45.5152},
    {"Seoul", "서울특별시", "04524", "South Korea", "+82 2 555 {:04}", 126.978, 37.5665},
    {"Austin", "Texas", "78701", "United States", "512555{:04}", -97.7431, 30.2672},
    {"Burlington", "Vermont", "05401", "United States", "802555{:04}", -73.2121, 44.4759},
    {"München", "Bayern", "80331", "Germany", "+49 89 555{:04}", 11.582, 48.1351},
    {"Española", "New Mexico", "87532", "United States", "505555{:04}", -106.0806, 35.9911},
    {"Winston-Salem", "North Carolina", "27101", "United States", "336555{:04}", -80.2442, 36.0999},
    {"Liège", "Wallonie", "4000", "Belgium", "+32 4 555 {:04}", 5.5797, 50.6326},
    {"St. John's", "Alaska", "99501", "United States", "907555{:04}", -149.9003, 61.2181},
}};

constexpr std::array<std::string_view, 10> names{"Old Mill Brewing Co",
                                                 "Brauhaus Müller & Söhne",
                                                 "The \"Hoppy\" Goat",
                                                 "Kettle, Grain & Yeast",
                                                 "’t Kroontje",
                                                 "부산 맥주",
                                                 "Brasserie de l'Abbaye",
                                                 "1. Altstadtbräu",
                                                 "Ölhytta 🍺",
                                                 "Two Rivers"};

constexpr std::array<std::string_view, 6> types{"micro", "brewpub", "regional", "planning", "contract", "nano"};
constexpr std::array<std::string_view, 4> streets{"Main St", "Friesener Straße", "2nd Ave, Ste B", "Rue des Étangs"};

std::string make_id(Dice& dice)
{
    const std::uint64_t high = dice.roll();
    const std::uint64_t low = dice.roll();
    return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                       low >> 52, low & 0xffff'ffff'ffff);
}

Brewery make_row(std::size_t number)
{
    Dice dice(number);
    const Place& place = places[number % places.size()];
    Brewery row;
    row.id = make_id(dice);
    row.name = fmt::format("{} {}", dice.pick(names), number + 1);
    row.brewery_type = dice.pick(types);
    if (!dice.once_in(8))
        row.address_1 = fmt::format("{} {}", 1 + dice.below(9'999), dice.pick(streets));
    if (dice.once_in(20))
        row.address_2 = "Building 3\nback door";
    if (dice.once_in(50))
        row.address_3 = "c/o \"The Cellar\"";
    row.city = place.city;
    row.state_province = place.state;
    row.postal_code = place.postal_code;
    row.country = place.country;
    if (!dice.once_in(4)) {
        row.longitude = fmt::format("{:.4f}{:05}", place.longitude, dice.below(100'000));
        row.latitude = fmt::format("{:.4f}{:05}", place.latitude, dice.below(100'000));
    }
    if (!dice.once_in(10))
        row.phone = fmt::format(fmt::runtime(place.phone), dice.below(10'000));
    if (!dice.once_in(6))
        row.website_url = fmt::format("https://brewery-{}.example.com/?from=list", number + 1);
    row.state = row.state_province;
    row.street = row.address_1;
    return row;
}

}  // namespace

std::vector<Brewery> generate_data_set()
{
    constexpr std::size_t count = 9'000;
    std::vector<Brewery> rows;
    rows.reserve(count);
    for (std::size_t number = 0; number < count; ++number)
        rows.push_back(make_row(number));
    return rows;
}

}  // namespace brewery
