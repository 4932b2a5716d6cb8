#include "signature.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "fault.h"
#include "types.h"

namespace ogt {

namespace {

constexpr size_t longest_text = 64 * 1024;
constexpr size_t longest_name = 127;
constexpr size_t longest_symbol = 31;

[[noreturn]] void refuse(size_t line, const std::string &why)
{
    throw fault(OGT_BAD_SIGNATURE, "line " + std::to_string(line) + " of the signature: " + why);
}

bool is_plain(std::string_view text)
{
    for (char each : text)
        if (static_cast<unsigned char>(each) <= 0x20 || each == 0x7F) return false;
    return true;
}

/* UTF-8 without overlong forms, surrogates or numbers past U+10FFFF. */
bool is_utf8(std::string_view text)
{
    for (size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const size_t more = lead < 0x80 ? 0 : lead >= 0xC2 && lead <= 0xDF ? 1 : (lead & 0xF0) == 0xE0 ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : 9;
        if (more == 9 || i + more >= text.size()) return false;
        for (size_t k = 1; k <= more; k++)
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
        const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0x80;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
            return false;
        i += more + 1;
    }
    return true;
}

std::vector<std::string_view> split(std::string_view text, char by)
{
    std::vector<std::string_view> parts;
    for (size_t begin = 0;;) {
        const size_t end = text.find(by, begin);
        parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

int symbol_index(signature &of, std::string_view name)
{
    for (size_t i = 0; i < of.symbols.size(); i++)
        if (of.symbols[i] == name) return static_cast<int>(i);
    of.symbols.emplace_back(name);
    return static_cast<int>(of.symbols.size() - 1);
}

dimension parse_dimension(signature &of, size_t line, std::string_view text)
{
    dimension parsed;
    if (text == "?") return parsed;
    if (!text.empty() && text[0] == '?') {
        const std::string_view name = text.substr(1);
        if (name.size() > longest_symbol || !is_plain(name)) refuse(line, "a dimension's name is too long");
        parsed.symbol = symbol_index(of, name);
        return parsed;
    }
    const char *end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, parsed.size);
    if (text.empty() || failure != std::errc() || stop != end || parsed.size < 0 || (text.size() > 1 && text[0] == '0'))
        refuse(line, "'" + std::string(text) + "' is no dimension");
    return parsed;
}

/* The fixed dimensions together stay countable. */
void check_size(size_t line, const value_spec &value)
{
    uint64_t elements = type_size(value.type);
    for (const dimension &each : value.dimensions)
        if (each.size > 0 && __builtin_mul_overflow(elements, static_cast<uint64_t>(each.size), &elements)) refuse(line, "too many bytes");
    if (elements > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) refuse(line, "too many bytes");
}

void parse_line(signature &of, size_t number, std::string_view line)
{
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() < 3) refuse(number, "it has fewer than three fields");
    const bool input = fields[0] == "input";
    if (!input && fields[0] != "output") refuse(number, "it begins with neither 'input' nor 'output'");
    std::vector<value_spec> &values = input ? of.inputs : of.outputs;
    if (values.size() >= OGT_MAX_VALUES) refuse(number, "more than 64 values of one direction");
    value_spec value;
    value.name = fields[1];
    value.known = true;
    if (value.name.empty() || value.name.size() > longest_name || !is_plain(fields[1])) refuse(number, "the name is empty, too long, or not plain");
    for (const value_spec &other : values)
        if (other.name == value.name) refuse(number, "the name '" + value.name + "' was there before");
    value.type = type_by_name(std::string(fields[2]));
    if (value.type == OGT_TYPE_UNKNOWN) refuse(number, "'" + std::string(fields[2]) + "' is no type");
    if (!scalar_type(value.type)) throw fault(OGT_UNSUPPORTED, std::string("this libtorch has no ") + type_name(value.type));
    if (fields.size() - 3 > OGT_MAX_RANK) refuse(number, "more than 8 dimensions");
    for (size_t i = 3; i < fields.size(); i++) value.dimensions.push_back(parse_dimension(of, number, fields[i]));
    check_size(number, value);
    values.push_back(std::move(value));
}

std::string shape_text(const int64_t *shape, uint32_t rank)
{
    std::string text = "[";
    for (uint32_t i = 0; i < rank; i++) text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
    return text + "]";
}

} // namespace

signature parse_signature(std::string_view text)
{
    if (text.size() > longest_text) throw fault(OGT_BAD_SIGNATURE, "the signature has more than 64 KiB");
    if (!is_utf8(text)) throw fault(OGT_BAD_SIGNATURE, "the signature is not UTF-8");
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    signature parsed;
    size_t number = 0;
    for (std::string_view line : split(text, '\n')) parse_line(parsed, ++number, line);
    if (parsed.inputs.empty() || parsed.outputs.empty()) throw fault(OGT_BAD_SIGNATURE, "the signature needs an input and an output");
    return parsed;
}

ogt_value describe(const signature &of, const value_spec &value)
{
    ogt_value told = {};
    std::memcpy(told.name, value.name.data(), std::min(value.name.size(), sizeof told.name - 1));
    told.type = value.type;
    told.rank = value.known ? static_cast<uint32_t>(value.dimensions.size()) : OGT_RANK_UNKNOWN;
    for (size_t i = 0; i < value.dimensions.size(); i++) {
        told.shape[i] = value.dimensions[i].size;
        if (value.dimensions[i].symbol < 0) continue;
        const std::string &symbol = of.symbols[static_cast<size_t>(value.dimensions[i].symbol)];
        std::memcpy(told.symbols[i], symbol.data(), symbol.size());
    }
    return told;
}

std::string symbol_sizes::check(const signature &of, const value_spec &value, uint32_t type, const int64_t *shape, uint32_t rank)
{
    if (!value.known) return {};
    const std::string quoted = "'" + value.name + "' ";
    if (type != value.type) return quoted + "is " + type_name(type) + ", not " + type_name(value.type);
    if (rank != value.dimensions.size())
        return quoted + "has shape " + shape_text(shape, rank) + ", not " + std::to_string(value.dimensions.size()) + " dimensions";
    for (uint32_t i = 0; i < rank; i++) {
        const dimension &declared = value.dimensions[i];
        int64_t expected = declared.size;
        if (declared.symbol >= 0) {
            int64_t &bound = sizes_[static_cast<size_t>(declared.symbol)];
            if (bound < 0) bound = shape[i];
            expected = bound;
        }
        if (expected < 0 || expected == shape[i]) continue;
        return quoted + "has shape " + shape_text(shape, rank) + ": dimension " + std::to_string(i) + " is not " + std::to_string(expected) +
               (declared.symbol < 0 ? "" : " (" + of.symbols[static_cast<size_t>(declared.symbol)] + ")");
    }
    return {};
}

} // namespace ogt
