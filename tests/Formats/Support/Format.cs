using FsCheck;
using FsCheck.Fluent;

namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>One encoding under test: valid bytes of it, and decoding followed by encoding.</summary>
internal sealed record Format(string Name, Gen<byte[]> Valid, Func<byte[], byte[]> DecodeThenEncode)
{
    public static IReadOnlyList<Format> All { get; } =
    [
        new("context", Samples.Context.Select(value => value.Encode()), bytes => StatementContext.Decode(bytes).Encode()),
        new("statement", Samples.Statement.Select(value => value.Encode()), bytes => Statement.Decode(bytes).Encode()),
        new("statement body", Samples.Statement.Select(value => value.EncodeBody()), bytes => Statement.Decode(AroundBody(bytes)).EncodeBody()),
        new("receipt", Samples.Receipt.Select(value => value.Encode()), bytes => Receipt.Decode(bytes).Encode()),
        new("binding", Samples.Binding.Select(value => value.Encode()), bytes => EpochBinding.Decode(bytes).Encode()),
        new("evidence", Samples.Evidence.Select(value => value.Encode()), bytes => Evidence.Decode(bytes).Encode()),
        new("bundle", Samples.Bundle.Select(value => value.Encode()), bytes => ReceiptBundle.Decode(bytes).Encode()),
    ];

    /// <summary>A statement whose header names this body, so that a changed body reaches the CBOR decoder.</summary>
    public static byte[] AroundBody(byte[] body) =>
        [.. Statement.Tag, .. new byte[72], .. Hash256.Sha256(body).Bytes, .. new byte[Statement.SignatureSize], .. body];

    public static Format Named(string name) => All.Single(format => format.Name == name);
}
