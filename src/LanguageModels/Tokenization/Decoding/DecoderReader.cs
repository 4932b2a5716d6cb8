using OpenGradient.Engine.LanguageModels.Tokenization.Normalization;
using OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

/// <summary>
/// Makes the decoder that a tokenizer file names, in a form that can be applied as tokens come: each token alone first,
/// then the text. A decoder that cannot be put so is refused.
/// </summary>
internal sealed class DecoderReader
{
    private const int MaxSteps = 64;
    private const int MaxDepth = 8;

    // More than any published file strips, few enough to hold back.
    private const int MaxStrip = 64;

    private readonly List<IDecodeStep> _steps = [];
    private readonly List<TextStrip> _strips = [];
    private bool _bytes;
    private bool _fused;
    private bool _looksAtLast;

    public static DecodePlan Read(FilePart? decoder)
    {
        var reader = new DecoderReader();
        if (decoder is { } part) reader.Add(part, 0);
        else reader._steps.Add(new SpacesStep());
        return new DecodePlan(reader._steps, reader._strips, reader._looksAtLast);
    }

    private void Add(FilePart part, int depth)
    {
        var type = part.RequiredText("type");
        switch (type)
        {
            case "Sequence":
                if (depth >= MaxDepth) throw part.Refuse($"sequences nested more than {MaxDepth} deep");
                foreach (var each in part.Only("decoders").Parts("decoders", MaxSteps)) Add(each, depth + 1);
                break;
            case "Fuse":
                part.Only();
                _fused = true;
                break;
            case "Strip":
                AddStrip(part.Only("content", "start", "stop"));
                break;
            case "Replace":
                AddStep(part, new ReplaceStep(new Replacement(part.Only("pattern", "content").Pattern("pattern"), part.RequiredText("content"))));
                break;
            case "Metaspace":
                part.Only("replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep");
                AddStep(part, new MetaspaceStep(part.Letter("replacement", "\u2581"), Metaspace.ReadScheme(part) != PrependScheme.Never));
                break;
            case "WordPiece":
                part.Only("prefix", "cleanup");
                AddStep(part, new WordPieceStep(part.Text("prefix") ?? "##", part.Flag("cleanup", true)));
                break;
            case "BPEDecoder":
                AddStep(part, new WordEndStep(part.Only("suffix").Text("suffix") ?? "</w>"));
                _looksAtLast = true;
                break;
            case "ByteFallback":
                part.Only();
                AddStep(part, new ByteFallbackStep());
                _bytes = true;
                break;
            case "ByteLevel":
                part.Only("add_prefix_space", "trim_offsets", "use_regex");
                AddStep(part, new ByteLevelStep());
                _bytes = true;
                break;
            default:
                throw part.Refuse($"the decoder '{type}' is not understood");
        }
    }

    private void AddStep(FilePart part, IDecodeStep step)
    {
        if (_fused) throw part.Refuse("a decoder after Fuse, other than Strip, is not understood");
        if (_bytes) throw part.Refuse("a decoder after ByteFallback or ByteLevel, other than Fuse and Strip, is not understood");
        _steps.Add(step);
    }

    private void AddStrip(FilePart part)
    {
        var (content, start, stop) = (part.Letter("content", " "), part.Number("start", 0), part.Number("stop", 0));
        if (content.Length != 1) throw part.Refuse("'content' must be one letter of the basic plane");
        if (start is < 0 or > MaxStrip || stop is < 0 or > MaxStrip) throw part.Refuse($"'start' and 'stop' must be from 0 to {MaxStrip}");
        if (_fused) _strips.Add(new TextStrip(content[0], start, stop));
        else AddStep(part, new StripStep(content[0], start, stop));
    }
}
