namespace OpenGradient.Engine.Formats;

/// <summary>Whether a row's output depends on the batch it ran in (docs/formats.md, context key 5).</summary>
public enum DeterminismClass
{
    /// <summary>Not probed.</summary>
    U,

    /// <summary>Batch-invariant, given the padding rule.</summary>
    A,

    /// <summary>Shape-dependent: reproduced by replaying batch size and slot.</summary>
    B,

    /// <summary>Content-dependent: neighbours change the answer.</summary>
    C,
}

/// <summary>What executed: everything that can change output bits besides model and input.</summary>
/// <param name="Backend">For example <c>onnxruntime</c>.</param>
/// <param name="Provider">For example <c>cpu</c>, <c>cuda</c>.</param>
/// <param name="Device">Instruction set or GPU, for example <c>x64-avx512f-vnni</c>.</param>
/// <param name="Precision">For example <c>fp32</c>.</param>
/// <param name="Options"><c>name=value</c> joined by <c>;</c>, sorted.</param>
public sealed record RuntimeFingerprint(
    string Backend, string LibraryVersion, Hash256 LibraryDigest, string Provider, string Device, string Precision, string Options);

/// <summary>The part of a statement that is constant while a model is loaded.</summary>
/// <param name="PaddingMultiple">Rows executed are rounded up to a multiple of this; 1 for none.</param>
/// <param name="MinimumRows">At least this many rows are executed; 1 for no minimum, which is not written.</param>
public sealed record StatementContext(
    string ModelName, string ModelVersion, Hash256 ModelIdentity, RuntimeFingerprint Runtime, DeterminismClass Determinism, uint PaddingMultiple,
    uint MinimumRows = 1)
{
    /// <summary>Encoded contexts are at most this long, so that a body stays under its own cap.</summary>
    public const int MaxSize = 4096;

    public byte[] Encode()
    {
        var writer = new CborWriter().Map(MinimumRows > 1 ? 7 : 6)
            .UInt(1).Text(ModelName)
            .UInt(2).Text(ModelVersion)
            .UInt(3).Bytes(ModelIdentity.Bytes)
            .UInt(4).Map(7)
                .UInt(1).Text(Runtime.Backend)
                .UInt(2).Text(Runtime.LibraryVersion)
                .UInt(3).Bytes(Runtime.LibraryDigest.Bytes)
                .UInt(4).Text(Runtime.Provider)
                .UInt(5).Text(Runtime.Device)
                .UInt(6).Text(Runtime.Precision)
                .UInt(7).Text(Runtime.Options)
            .UInt(5).Text(Determinism.ToString())
            .UInt(6).UInt(PaddingMultiple);
        if (MinimumRows > 1) writer.UInt(7).UInt(MinimumRows);
        var bytes = writer.ToArray();
        return bytes.Length <= MaxSize ? bytes : throw new InvalidOperationException($"the statement context of model '{ModelName}' is {bytes.Length} bytes, more than {MaxSize}");
    }

    /// <exception cref="FormatException">The bytes are not this context's canonical encoding.</exception>
    public static StatementContext Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"context: more than {MaxSize} bytes");
        var reader = new CborReader(bytes);
        var keys = reader.Map();
        Require(keys is 6 or 7, "six or seven keys");
        reader.Key(1);
        var name = reader.Text();
        reader.Key(2);
        var version = reader.Text();
        reader.Key(3);
        var identity = reader.Hash();
        reader.Key(4);
        var runtime = DecodeRuntime(ref reader);
        reader.Key(5);
        var determinism = reader.Text() switch
        {
            "A" => DeterminismClass.A, "B" => DeterminismClass.B, "C" => DeterminismClass.C, "U" => DeterminismClass.U,
            _ => throw new FormatException("context: unknown determinism class"),
        };
        reader.Key(6);
        var padding = reader.UInt();
        Require(padding is >= 1 and <= 65_536, "a padding rule between 1 and 65,536");
        var minimum = keys == 7 ? DecodeMinimumRows(ref reader) : 1;
        reader.End();
        return new StatementContext(name, version, identity, runtime, determinism, (uint)padding, minimum);
    }

    private static uint DecodeMinimumRows(ref CborReader reader)
    {
        reader.Key(7);
        var rows = reader.UInt();
        // No minimum has one encoding, the key's absence.
        Require(rows is >= 2 and <= 65_536, "a minimum of rows between 2 and 65,536");
        return (uint)rows;
    }

    private static RuntimeFingerprint DecodeRuntime(ref CborReader reader)
    {
        Require(reader.Map() == 7, "seven runtime keys");
        reader.Key(1);
        var backend = reader.Text();
        reader.Key(2);
        var version = reader.Text();
        reader.Key(3);
        var digest = reader.Hash();
        reader.Key(4);
        var provider = reader.Text();
        reader.Key(5);
        var device = reader.Text();
        reader.Key(6);
        var precision = reader.Text();
        reader.Key(7);
        return new RuntimeFingerprint(backend, version, digest, provider, device, precision, reader.Text());
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new FormatException($"context: {what} expected");
    }
}
