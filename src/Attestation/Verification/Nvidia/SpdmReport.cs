using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>
/// A device's report: an SPDM 1.1 GET_MEASUREMENTS request and the MEASUREMENTS response to it (DMTF DSP0274, 10.11), little-endian.
/// Read strictly; nothing in it is judged here.
/// </summary>
internal sealed record SpdmReport
{
    public const int SignatureSize = 96, NonceSize = 32, RequestSize = 37, DigestSize = 48, LargestReport = 32 * 1024;

    private const byte Version11 = 0x11, GetMeasurements = 0xE0, Measurements = 0x60, SignatureRequested = 1, AllBlocks = 0xFF, DmtfBlock = 1;
    private const int MostSlots = 8;

    /// <summary>The requester's, not the device's own.</summary>
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>Digests by index, from 1.</summary>
    public required IReadOnlyDictionary<int, ReadOnlyMemory<byte>> Blocks { get; init; }

    /// <summary>The vendor's fields by their type.</summary>
    public required IReadOnlyDictionary<int, ReadOnlyMemory<byte>> Opaque { get; init; }

    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>Everything before the signature.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    /// <returns>Null, with a reason (Encoding, Version), where it is anything else.</returns>
    public static SpdmReport? Read(ReadOnlyMemory<byte> bytes, ReasonList reasons)
    {
        if (bytes.Length < 2 || bytes.Span[0] != Version11)
        {
            reasons.Refuse(AttestationCheck.Version, "not a message of SPDM 1.1");
            return null;
        }

        try
        {
            return new Reader(bytes).Report();
        }
        catch (FormatException e)
        {
            reasons.Refuse(AttestationCheck.Encoding, e.Message);
            return null;
        }
    }

    private ref struct Reader(ReadOnlyMemory<byte> bytes)
    {
        private int _at;

        public SpdmReport Report()
        {
            Expect(Version11, "the request's version");
            Expect(GetMeasurements, "the request's code");
            Expect(SignatureRequested, "the request's first parameter");
            Expect(AllBlocks, "the request's second parameter");
            var nonce = Take(NonceSize, "the request's nonce");
            var slot = Byte("the request's slot");
            if (slot >= MostSlots) throw new FormatException($"slot {slot} does not exist");
            Expect(Version11, "the response's version");
            Expect(Measurements, "the response's code");
            Expect(0, "the response's first parameter");
            Expect(slot, "the response's slot");
            var blocks = ReadBlocks();
            Take(NonceSize, "the response's nonce");
            var opaque = ReadOpaque();
            var signed = bytes[.._at];
            var signature = Take(SignatureSize, "the signature");
            if (_at != bytes.Length) throw new FormatException($"{bytes.Length - _at} trailing bytes");
            return new SpdmReport { Nonce = nonce, Blocks = blocks, Opaque = opaque, Signature = signature, Signed = signed };
        }

        private Dictionary<int, ReadOnlyMemory<byte>> ReadBlocks()
        {
            int count = Byte("the number of blocks");
            var size = Take(3, "the blocks' size").Span;
            var record = new Reader(Take(size[0] | (size[1] << 8) | (size[2] << 16), "the blocks"));
            var blocks = new Dictionary<int, ReadOnlyMemory<byte>>();
            for (var i = 0; i < count; i++) record.ReadBlock(blocks);
            record.End("the blocks");
            return blocks.Count > 0 ? blocks : throw new FormatException("no block");
        }

        // Index, specification, size, and in it a type, a size and the digest (Table 44).
        private void ReadBlock(Dictionary<int, ReadOnlyMemory<byte>> blocks)
        {
            var index = Byte("a block's index");
            Expect(DmtfBlock, "a block's specification");
            var block = new Reader(Take(Number("a block's size"), "a block"));
            block.Byte("a block's type");
            var value = block.Take(block.Number("a digest's size"), "a digest");
            block.End("a block");
            if (index == 0 || value.Length != DigestSize) throw new FormatException($"block {index} of {value.Length} bytes");
            if (!blocks.TryAdd(index, value)) throw new FormatException($"block {index} occurs twice");
        }

        private Dictionary<int, ReadOnlyMemory<byte>> ReadOpaque()
        {
            var data = new Reader(Take(Number("the opaque data's size"), "the opaque data"));
            var fields = new Dictionary<int, ReadOnlyMemory<byte>>();
            while (!data.IsAtEnd)
            {
                var type = data.Number("an opaque field's type");
                if (!fields.TryAdd(type, data.Take(data.Number("an opaque field's size"), "an opaque field"))) throw new FormatException($"opaque field {type} occurs twice");
            }

            return fields;
        }

        private readonly bool IsAtEnd => _at == bytes.Length;

        private byte Byte(string what) => Take(1, what).Span[0];

        private int Number(string what) => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what).Span);

        private void Expect(byte expected, string what)
        {
            var found = Byte(what);
            if (found != expected) throw new FormatException($"{what} is {found}, not {expected}");
        }

        private ReadOnlyMemory<byte> Take(int size, string what)
        {
            if (size > bytes.Length - _at) throw new FormatException($"{what}: truncated");
            var taken = bytes.Slice(_at, size);
            _at += size;
            return taken;
        }

        private readonly void End(string what)
        {
            if (!IsAtEnd) throw new FormatException($"{what}: {bytes.Length - _at} trailing bytes");
        }
    }
}
