#include "nesting.h"

#include <cstddef>
#include <vector>

namespace ogt {

namespace {

constexpr size_t deepest_brackets = 200, longest_chain = 10'000, most_elifs = 200;

bool is_word(char each)
{
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') || each == '_' || (each & 0x80) != 0;
}

bool repeats(std::string_view text, size_t at, char quote, size_t count)
{
    if (at > text.size() || text.size() - at < count) return false;
    for (size_t i = 0; i < count; i++)
        if (text[at + i] != quote) return false;
    return true;
}

/* Bytes of the string that begins here; 0 where none does. */
size_t string_size(std::string_view text, size_t at)
{
    const char quote = text[at];
    if (quote != '\'' && quote != '"') return 0;
    const size_t count = repeats(text, at, quote, 3) ? 3 : 1;
    size_t end = at + count;
    while (end < text.size() && !repeats(text, end, quote, count)) {
        if (text[end] == '\n' && count == 1) return 0;
        end += text[end] == '\\' ? 2 : 1;
    }
    return end < text.size() ? end - at + count : 0;
}

/* What is open of one expression. */
class chains {
public:
    /* False past a limit. */
    bool open()
    {
        levels_.push_back(0);
        return levels_.size() <= deepest_brackets + 1;
    }

    void close()
    {
        separate();
        if (levels_.size() > 1) levels_.pop_back();
    }

    void separate()
    {
        sum_ -= levels_.back();
        levels_.back() = 0;
    }

    void end_line()
    {
        if (levels_.size() == 1) separate();
    }

    bool token()
    {
        levels_.back()++;
        return ++sum_ <= longest_chain;
    }

private:
    std::vector<size_t> levels_ = {0}; /* tokens since the last comma, by open bracket */
    size_t sum_ = 0;
};

} // namespace

bool nests_too_deep(std::string_view text)
{
    chains open;
    size_t elifs = 0;
    for (size_t at = 0; at < text.size();) {
        const char each = text[at];
        if (each == '#' && text.substr(at, 7) != "# type:") {
            at = text.find('\n', at);
            if (at == std::string_view::npos) return false;
            continue;
        }
        if (const size_t size = string_size(text, at)) {
            if (!open.token()) return true;
            at += size;
            continue;
        }
        size_t end = at + 1;
        if (each == '\n') {
            open.end_line();
        } else if (each == '\\' && end < text.size() && text[end] == '\n') {
            end++; /* the line goes on */
        } else if (each == ',') {
            open.separate();
        } else if (each == ')' || each == ']' || each == '}') {
            open.close();
        } else if (each == '(' || each == '[' || each == '{') {
            if (!open.open()) return true;
        } else if (each != ' ' && each != '\t' && each != '\r') {
            while (is_word(each) && end < text.size() && is_word(text[end])) end++;
            if (text.substr(at, end - at) == "elif" && ++elifs > most_elifs) return true;
            if (!open.token()) return true;
        }
        at = end;
    }
    return false;
}

} // namespace ogt
