using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>A byte-level BPE tokenizer without merges: token id = byte, and three special tokens.</summary>
internal static class TinyTokenizer
{
    public const int EndOfText = 256, ImStart = 257, ImEnd = 258;

    private static readonly string[] Special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    public static string Json()
    {
        var vocabulary = string.Join(", ", Enumerable.Range(0, 256).Select(value => $"{JsonSerializer.Serialize(Letter(value).ToString())}: {value}"));
        var added = string.Join(", ", Special.Select((text, index) =>
            $$"""{"id": {{256 + index}}, "content": {{JsonSerializer.Serialize(text)}}, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}"""));
        return $$"""
            {
              "version": "1.0", "truncation": null, "padding": null,
              "added_tokens": [{{added}}],
              "normalizer": null,
              "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
              "post_processor": null,
              "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
              "model": {
                "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
                "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                "vocab": { {{vocabulary}} }, "merges": []
              }
            }
            """;
    }

    /// <summary>Token ids of a text: its UTF-8 bytes.</summary>
    public static int[] Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)];

    // GPT-2's byte alphabet: visible Latin-1 letters stand for themselves, the others for the letters from U+0100 on, in order.
    private static char Letter(int value)
    {
        static bool Visible(int each) => each is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
        return Visible(value) ? (char)value : (char)(0x100 + Enumerable.Range(0, value).Count(each => !Visible(each)));
    }
}
