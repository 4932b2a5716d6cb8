#include "pickle_check.h"

#include <cstdint>
#include <vector>

#include "fault.h"

namespace ogt {

namespace {

constexpr size_t deepest = 1u << 20;

class walk {
public:
    walk(const std::string &name, std::string_view bytes) : name_(name), bytes_(bytes) {}

    void run()
    {
        if (byte() != 0x80 || byte() != 2) refuse("it is no pickle of protocol 2");
        while (step(byte())) {}
        if (at_ != bytes_.size()) refuse("bytes after its end");
        if (depth_ != 1 || !marks_.empty()) refuse("it leaves no single value");
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

    void push()
    {
        if (++depth_ > deepest) refuse("it nests too deep");
    }

    /* Takes count values from above the last mark, and leaves one. */
    void replace(size_t count)
    {
        if (depth_ - floor() < count) refuse("it takes values that are not there");
        depth_ -= count - 1;
    }

    /* Takes everything above the last mark. below: values that must lie under it. */
    size_t to_mark(size_t below)
    {
        if (marks_.empty()) refuse("a mark is missing");
        const size_t start = marks_.back(), count = depth_ - start;
        marks_.pop_back();
        if (start - floor() < below) refuse("it takes values that are not there");
        depth_ = start;
        return count;
    }

    void pairs(size_t count) const
    {
        if (count % 2 != 0) refuse("a key without a value");
    }

    void remember(size_t place)
    {
        if (depth_ == floor()) refuse("it remembers a value that is not there");
        if (place > memo_) refuse("it leaves gaps in its memo");
        if (place == memo_) memo_++;
    }

    void recall(size_t place)
    {
        if (place >= memo_) refuse("it recalls what it never remembered");
        push();
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
        case ']': case ')': case '}': case 'N': case 0x88: case 0x89: push(); break;
        case 'K': skip(1); push(); break;
        case 'M': skip(2); push(); break;
        case 'J': skip(4); push(); break;
        case 'G': skip(8); push(); break;
        case 0x8a:
            if (byte() != 8) refuse("a long number of another size than 8");
            skip(8);
            push();
            break;
        case 'X': skip(number(4)); push(); break;
        case 'q': remember(byte()); break;
        case 'r': remember(number(4)); break;
        case 'h': recall(byte()); break;
        case 'j': recall(number(4)); break;
        case '(': marks_.push_back(depth_); if (marks_.size() > deepest) refuse("it nests too deep"); break;
        case 't': to_mark(0); push(); break;
        case 'l': to_mark(0); push(); break;
        case 'd': pairs(to_mark(0)); push(); break;
        case 'e': to_mark(1); break;
        case 'u': pairs(to_mark(1)); break;
        case 0x85: replace(1); break;
        case 0x86: replace(2); break;
        case 0x87: replace(3); break;
        case 'a': case 'R': case 'b': case 0x81: replace(2); break;
        case 's': replace(3); break;
        case 'Q': replace(1); break;
        case 'c': global(); break;
        default: throw fault(OGT_UNSUPPORTED, "the pickle '" + name_ + "' has opcode " + std::to_string(code) + ", which TorchScript does not write");
        }
        return true;
    }

    const std::string &name_;
    std::string_view bytes_;
    size_t at_ = 0, depth_ = 0, memo_ = 0;
    std::vector<size_t> marks_;
};

} // namespace

void check_pickle(const std::string &name, std::string_view bytes)
{
    walk(name, bytes).run();
}

} // namespace ogt
