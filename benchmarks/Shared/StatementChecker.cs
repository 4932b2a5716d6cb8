using System.Collections.Concurrent;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>Checks each statement once: canonical bytes, body digest, signature by the epoch's key. Safe for concurrent calls.</summary>
internal sealed class StatementChecker(NativeSignatures signatures, Func<Statement, ReadOnlyMemory<byte>> keyOf)
{
    private readonly ConcurrentDictionary<ReadOnlyMemory<byte>, Statement?> _checked = new(SameMemory.Instance);

    /// <summary>The decoded statement, null when it does not hold.</summary>
    public Statement? Check(ReadOnlyMemory<byte> bytes) => _checked.GetOrAdd(bytes, CheckOnce);

    public void Forget() => _checked.Clear();

    private Statement? CheckOnce(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var statement = Statement.Decode(bytes.Span);
            var digest = Hash256.Sha256(bytes.Span[..Statement.HeaderSize]);
            return signatures.VerifySecp256k1(keyOf(statement).Span, digest, statement.Signature.Span) ? statement : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Equal by content, which is the signed header and all after it.</summary>
    private sealed class SameMemory : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static readonly SameMemory Instance = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        // The body digest, bytes 88 to 120 of the header, differs between statements.
        public int GetHashCode(ReadOnlyMemory<byte> memory) =>
            memory.Length < Statement.HeaderSize ? 0 : BitConverter.ToInt32(memory.Span[88..]);
    }
}
