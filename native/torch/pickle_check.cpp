#include "pickle_check.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fault.h"
#include "nesting.h"

namespace ogt {

namespace {

constexpr size_t most_values = 1u << 20; /* on the stack, or marks */
constexpr uint32_t deepest = 256;        /* of values in values: freeing them recurses, and modules nest a tenth of it */
constexpr size_t most_remembered = 1u << 22;
constexpr uint32_t no_cell = 0xFFFFFFFFu;

/* On the stack. */
struct value {
    uint32_t depth = 0;      /* values in it, in each other */
    uint32_t cell = no_cell; /* what is known of it under its places in the memo */
    bool recalled = false;   /* from the memo: the value itself lies elsewhere */
    bool grows = false;      /* may be added to */
    bool knotted = false;    /* a text, or a tuple with one, that the compiler must not read as a type */
};

/* A remembered value. */
struct cell {
    uint32_t depth;
    bool open; /* it is still on the stack, and may be added to */
    bool knotted;
};

class walk {
public:
    walk(const std::string &name, std::string_view bytes) : name_(name), bytes_(bytes) {}

    void run()
    {
        if (byte() != 0x80 || byte() != 2) refuse("it is no pickle of protocol 2");
        while (step(byte())) {}
        if (at_ != bytes_.size()) refuse("bytes after its end");
        if (stack_.size() != 1 || !marks_.empty()) refuse("it leaves no single value");
    }

private:
    [[noreturn]] void refuse(const std::string &why) const
    {
        throw fault(OGT_NOT_AN_ARCHIVE, "the pickle '" + name_ + "' is spoiled: " + why);
    }

    uint8_t byte()
    {
        if (at_ >= bytes_.size()) refuse("it is cut off");
        return static_cast<uint8_t>(bytes_[at_++]);
    }

    uint32_t number(int size)
    {
        uint32_t value = 0;
        for (int i = 0; i < size; i++) value |= static_cast<uint32_t>(byte()) << (8 * i);
        return value;
    }

    void skip(size_t count)
    {
        if (count > bytes_.size() - at_) refuse("it is cut off");
        at_ += count;
    }

    size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

    void push(value made = {})
    {
        if (made.depth > deepest) refuse("it nests too deep");
        if (stack_.size() >= most_values) refuse("it holds too many values at once");
        stack_.push_back(made);
    }

    void need(size_t count) const
    {
        if (stack_.size() - floor() < count) refuse("it takes values that are not there");
    }

    /* Takes the topmost values, and gives what holds them. */
    value take(size_t count)
    {
        value holder;
        for (size_t i = stack_.size() - count; i < stack_.size(); i++) {
            const value &each = stack_[i];
            holder.depth = std::max(holder.depth, each.depth + 1);
            holder.knotted |= each.knotted;
            if (each.cell != no_cell && !each.recalled) cells_[each.cell].open = false;
        }
        stack_.resize(stack_.size() - count);
        return holder;
    }

    /* How many values lie above the last mark, which goes. */
    size_t to_mark()
    {
        if (marks_.empty()) refuse("a mark is missing");
        const size_t count = stack_.size() - marks_.back();
        marks_.pop_back();
        return count;
    }

    void tuple(size_t count)
    {
        need(count);
        push(take(count));
    }

    /* A list, dictionary or object of the topmost values, which may be added to. */
    void container(size_t count)
    {
        need(count);
        value made = take(count);
        made.knotted = false;
        made.grows = true;
        push(made);
    }

    void call()
    {
        need(2);
        if (stack_.back().knotted) refuse("a type nests too deep");
        container(2);
    }

    /* The topmost values go into the one below them. */
    void add(size_t count)
    {
        need(count + 1);
        const value added = take(count);
        value &target = stack_.back();
        /* otherwise values could come to hold themselves, or to nest deeper than what is counted */
        if (target.recalled) refuse("it adds to a value that it recalled");
        target.depth = std::max(target.depth, added.depth);
        if (target.depth > deepest) refuse("it nests too deep");
        if (target.cell != no_cell) cells_[target.cell].depth = target.depth;
    }

    size_t pairs(size_t count) const
    {
        if (count % 2 != 0) refuse("a key without a value");
        return count;
    }

    void remember(size_t place)
    {
        need(1);
        if (place > memo_.size()) refuse("it leaves gaps in its memo");
        value &top = stack_.back();
        if (top.cell == no_cell) {
            if (cells_.size() >= most_remembered) refuse("it remembers too many values");
            top.cell = static_cast<uint32_t>(cells_.size());
            cells_.push_back({top.depth, top.grows, top.knotted});
        }
        if (place == memo_.size()) memo_.push_back(top.cell);
        else memo_[place] = top.cell;
    }

    void recall(size_t place)
    {
        if (place >= memo_.size()) refuse("it recalls what it never remembered");
        const cell &found = cells_[memo_[place]];
        if (found.open) refuse("it recalls a value that is not whole");
        value again;
        again.depth = found.depth;
        again.cell = memo_[place];
        again.recalled = true;
        again.knotted = found.knotted;
        push(again);
    }

    void text(size_t size)
    {
        const size_t begin = at_;
        skip(size);
        value made;
        made.knotted = size > 200 && nests_too_deep(bytes_.substr(begin, size));
        push(made);
    }

    std::string line()
    {
        const size_t end = bytes_.find('\n', at_);
        if (end == std::string_view::npos || end - at_ > 4096) refuse("a name without an end");
        std::string text(bytes_.substr(at_, end - at_));
        at_ = end + 1;
        return text;
    }

    void global()
    {
        const std::string module = line(), member = line();
        const bool storage = module == "torch" && (member == "device" || (member.size() > 7 && member.compare(member.size() - 7, 7, "Storage") == 0));
        const bool container = (module == "torch.jit._pickle" && member != "build_tensor_from_id") || (module == "collections" && member == "OrderedDict");
        const bool tensor = module == "torch._utils" && member == "_rebuild_tensor_v2";
        const bool own = module.rfind("__torch__", 0) == 0;
        if (!storage && !container && !tensor && !own)
            throw fault(OGT_UNSUPPORTED, "the pickle '" + name_ + "' uses '" + module + "." + member + "', which is not served");
        push();
    }

    bool step(uint8_t code)
    {
        switch (code) {
        case '.': return false;
        case ']': case '}': container(0); break;
        case ')': case 'N': case 0x88: case 0x89: push(); break;
        case 'K': skip(1); push(); break;
        case 'M': skip(2); push(); break;
        case 'J': skip(4); push(); break;
        case 'G': skip(8); push(); break;
        case 0x8a:
            if (byte() != 8) refuse("a long number of another size than 8");
            skip(8);
            push();
            break;
        case 'X': text(number(4)); break;
        case 'q': remember(byte()); break;
        case 'r': remember(number(4)); break;
        case 'h': recall(byte()); break;
        case 'j': recall(number(4)); break;
        case '(':
            if (marks_.size() >= most_values) refuse("it holds too many values at once");
            marks_.push_back(stack_.size());
            break;
        case 't': tuple(to_mark()); break;
        case 'l': container(to_mark()); break;
        case 'd': container(pairs(to_mark())); break;
        case 'e': add(to_mark()); break;
        case 'u': add(pairs(to_mark())); break;
        case 0x85: tuple(1); break;
        case 0x86: tuple(2); break;
        case 0x87: tuple(3); break;
        case 'a': case 'b': add(1); break;
        case 's': add(2); break;
        case 'R': call(); break;
        case 0x81: container(2); break;
        case 'Q': container(1); break;
        case 'c': global(); break;
        default: throw fault(OGT_UNSUPPORTED, "the pickle '" + name_ + "' has opcode " + std::to_string(code) + ", which TorchScript does not write");
        }
        return true;
    }

    const std::string &name_;
    std::string_view bytes_;
    size_t at_ = 0;
    std::vector<value> stack_;
    std::vector<size_t> marks_; /* how many values lay on the stack */
    std::vector<cell> cells_;
    std::vector<uint32_t> memo_;
};

} // namespace

void check_pickle(const std::string &name, std::string_view bytes)
{
    walk(name, bytes).run();
}

} // namespace ogt
