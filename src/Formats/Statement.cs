using System.Buffers.Binary;

namespace OpenGradient.Engine.Formats;

/// <summary>The newest block the host had seen when it sealed: the statement is not older than it.</summary>
public sealed record ChainView(ulong ChainId, ulong BlockNumber, Hash256 BlockHash);

/// <summary>What one backend call did, signed once (docs/formats.md, "Batch statement").</summary>
public sealed record Statement
{
    public const int HeaderSize = 120;
    public const int SignatureSize = 65;
    public const int MaxBodySize = 8192;
    public const int MaxSize = HeaderSize + SignatureSize + MaxBodySize;

    /// <summary>Receipts in one statement, at most.</summary>
    public const int MaxReceipts = 65_536;

    public static ReadOnlySpan<byte> Tag => "OGE statement v1"u8;

    public required Hash256 LogId { get; init; }

    /// <summary>H(binding) of the epoch whose key signed.</summary>
    public required Hash256 Epoch { get; init; }

    public required ulong Sequence { get; init; }

    /// <summary>65 bytes, r ‖ s ‖ v.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    public required StatementContext Context { get; init; }
    public required Hash256 RowsRoot { get; init; }
    public required uint Receipts { get; init; }
    public required uint BatchRows { get; init; }

    /// <summary>Nanoseconds since 1970 by the host's clock.</summary>
    public required ulong HostTime { get; init; }

    public ChainView? Chain { get; init; }

    /// <summary>What the epoch's key signed: H(header).</summary>
    public Hash256 SignedDigest => Hash256.Sha256(EncodeHeader(EncodeBody()));

    public byte[] EncodeBody()
    {
        var writer = new CborWriter().Map(Chain is null ? 5 : 6)
            .UInt(1).Bytes(Context.Encode())
            .UInt(2).Bytes(RowsRoot.Bytes)
            .UInt(3).UInt(Receipts)
            .UInt(4).UInt(BatchRows)
            .UInt(5).UInt(HostTime);
        if (Chain is not null)
            writer.UInt(6).Array(3).UInt(Chain.ChainId).UInt(Chain.BlockNumber).Bytes(Chain.BlockHash.Bytes);
        return writer.ToArray();
    }

    public byte[] EncodeHeader(ReadOnlySpan<byte> body)
    {
        var header = new byte[HeaderSize];
        Tag.CopyTo(header);
        LogId.Bytes.CopyTo(header.AsSpan(16));
        Epoch.Bytes.CopyTo(header.AsSpan(48));
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(80), Sequence);
        Hash256.Sha256(body).Bytes.CopyTo(header.AsSpan(88));
        return header;
    }

    public byte[] Encode()
    {
        var body = EncodeBody();
        return new ByteWriter()
            .Bytes(EncodeHeader(body)).Fixed(Signature.Span, SignatureSize, "a statement's signature").Bytes(body).ToArray();
    }

    /// <summary>Decodes and checks structure and body digest; the signature is checked by whoever holds the epoch's key.</summary>
    /// <exception cref="FormatException">Not a statement's canonical bytes; the message names what was wrong.</exception>
    public static Statement Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= HeaderSize + SignatureSize) throw new FormatException("statement: truncated");
        if (bytes.Length > MaxSize) throw new FormatException($"statement: more than {MaxSize} bytes");
        if (!bytes.StartsWith(Tag)) throw new FormatException("statement: unknown tag or version");
        var body = bytes[(HeaderSize + SignatureSize)..];
        if (Hash256.Sha256(body) != new Hash256(bytes[88..120])) throw new FormatException("statement: body digest does not match");
        if (bytes[HeaderSize + SignatureSize - 1] > 1) throw new FormatException("statement: signature's v is not 0 or 1");

        var reader = new CborReader(body);
        var keys = reader.Map();
        if (keys is not (5 or 6)) throw new FormatException("statement: five or six keys expected");
        reader.Key(1);
        var context = StatementContext.Decode(reader.Bytes());
        reader.Key(2);
        var root = reader.Hash();
        reader.Key(3);
        var receipts = reader.UInt();
        reader.Key(4);
        var batchRows = reader.UInt();
        reader.Key(5);
        var time = reader.UInt();
        var chain = keys == 6 ? DecodeChain(ref reader) : null;
        reader.End();
        if (receipts is 0 or > MaxReceipts) throw new FormatException("statement: number of receipts out of range");
        if (batchRows > uint.MaxValue) throw new FormatException("statement: batch rows out of range");

        return new Statement
        {
            LogId = new Hash256(bytes[16..48]),
            Epoch = new Hash256(bytes[48..80]),
            Sequence = BinaryPrimitives.ReadUInt64BigEndian(bytes[80..]),
            Signature = bytes.Slice(HeaderSize, SignatureSize).ToArray(),
            Context = context,
            RowsRoot = root,
            Receipts = (uint)receipts,
            BatchRows = (uint)batchRows,
            HostTime = time,
            Chain = chain,
        };
    }

    private static ChainView DecodeChain(ref CborReader reader)
    {
        reader.Key(6);
        if (reader.Array() != 3) throw new FormatException("statement: chain view has three items");
        return new ChainView(reader.UInt(), reader.UInt(), reader.Hash());
    }
}
