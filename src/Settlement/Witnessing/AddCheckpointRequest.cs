using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>The body of C2SP tlog-witness's <c>add-checkpoint</c>: old size, consistency proof, blank line, signed checkpoint.</summary>
public sealed record AddCheckpointRequest(ulong OldSize, Hash256[] Proof, ReadOnlyMemory<byte> Note)
{
    /// <summary>The path below a witness's submission prefix.</summary>
    public const string Path = "add-checkpoint";

    /// <summary>What C2SP allows: more cannot be needed for a tree of 2^64 leaves.</summary>
    public const int MaxProof = 63;

    /// <summary>A body at every limit: the longest old line, proof and note.</summary>
    public const int MaxSize = 32 + (MaxProof * 45) + 1 + CheckpointNote.MaxSize;

    public byte[] Encode()
    {
        var text = new StringBuilder($"old {OldSize}\n");
        foreach (var hash in Proof) text.Append(Convert.ToBase64String(hash.Bytes)).Append('\n');
        return [.. Encoding.ASCII.GetBytes(text.Append('\n').ToString()), .. Note.Span];
    }

    /// <exception cref="FormatException">Not such a body; the message names what was wrong. The note itself is not looked into.</exception>
    public static AddCheckpointRequest Decode(ReadOnlySpan<byte> body)
    {
        if (body.Length > MaxSize) throw new FormatException($"add-checkpoint: more than {MaxSize} bytes");
        var old = Line(ref body);
        if (!old.StartsWith("old ", StringComparison.Ordinal) || CheckpointNote.ParseSize(old[4..]) is not { } oldSize)
            throw new FormatException("add-checkpoint: the first line is not 'old' and a tree size");
        var proof = new List<Hash256>();
        while (Line(ref body) is { Length: > 0 } line)
        {
            if (proof.Count == MaxProof) throw new FormatException($"add-checkpoint: more than {MaxProof} lines of proof");
            proof.Add(CheckpointNote.ParseHash(line) ?? throw new FormatException($"add-checkpoint: line {proof.Count + 2} is not a hash in base64"));
        }

        return new(oldSize, [.. proof], body.ToArray());
    }

    private static string Line(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)'\n');
        if (end < 0) throw new FormatException("add-checkpoint: old size, proof and a blank line are expected before the checkpoint");
        var line = body[..end];
        body = body[(end + 1)..];
        return Encoding.Latin1.GetString(line);
    }
}
