#pragma once

#include <array>
#include <string>
#include <string_view>

namespace brewery {

/// One row of the Open Brewery DB. All values are text, exactly as they were received: a coordinate that went
/// through a double and back might not be written as it was read. Empty means that the value is not known.
struct Brewery {
    std::string id;
    std::string name;
    std::string brewery_type;
    std::string address_1;
    std::string address_2;
    std::string address_3;
    std::string city;
    std::string state_province;
    std::string postal_code;
    std::string country;
    std::string longitude;
    std::string latitude;
    std::string phone;
    std::string website_url;
    std::string state;
    std::string street;

    friend bool operator==(const Brewery&, const Brewery&) = default;
};

struct Column {
    std::string_view name;
    std::string Brewery::* field;
};

/// The fields of the API in the order in which the CSV shows them.
inline constexpr std::array<Column, 16> columns{{
    {"id", &Brewery::id},
    {"name", &Brewery::name},
    {"brewery_type", &Brewery::brewery_type},
    {"address_1", &Brewery::address_1},
    {"address_2", &Brewery::address_2},
    {"address_3", &Brewery::address_3},
    {"city", &Brewery::city},
    {"state_province", &Brewery::state_province},
    {"postal_code", &Brewery::postal_code},
    {"country", &Brewery::country},
    {"longitude", &Brewery::longitude},
    {"latitude", &Brewery::latitude},
    {"phone", &Brewery::phone},
    {"website_url", &Brewery::website_url},
    {"state", &Brewery::state},
    {"street", &Brewery::street},
}};

}  // namespace brewery
