using FsCheck;
using FsCheck.Fluent;

namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>Generators of every format's values, within the caps that docs/formats.md states.</summary>
internal static class Samples
{
    private static readonly int[] CodePoints = ['a', 'Z', '0', '.', '/', 0, 0x7f, 0xe9, 0x7ff, 0x800, 0x4e2d, 0xfffd, 0xffff, 0x1f600, 0x10ffff];

    public static Gen<byte> Byte { get; } = Gen.Choose(0, 255).Select(value => (byte)value);

    public static Gen<byte[]> BytesUpTo(int max) => Gen.Choose(0, max).SelectMany(Bytes);

    public static Gen<byte[]> Bytes(int length) => Gen.ArrayOf(Byte, length);

    public static Gen<Hash256> Hash { get; } = Bytes(Hash256.Size).Select(bytes => new Hash256(bytes));

    public static Gen<EvmAddress> Address { get; } = Bytes(EvmAddress.Size).Select(bytes => new EvmAddress(bytes));

    public static Gen<Hash256[]> Path(int max) => Gen.Choose(0, max).SelectMany(length => Gen.ArrayOf(Hash, length));

    /// <summary>Every width of a CBOR head, with its neighbours on both sides.</summary>
    public static Gen<ulong> U64 { get; } = Gen.Elements<ulong>(
        0, 1, 23, 24, 255, 256, 65_535, 65_536, uint.MaxValue, (ulong)uint.MaxValue + 1, long.MaxValue, ulong.MaxValue);

    public static Gen<uint> U32 { get; } = Gen.Elements<uint>(0, 1, 23, 24, 255, 256, 65_535, 65_536, int.MaxValue, uint.MaxValue);

    public static Gen<string> Text { get; } =
        from length in Gen.Choose(0, 40)
        from points in Gen.ArrayOf(Gen.Elements(CodePoints), length)
        select string.Concat(points.Select(char.ConvertFromUtf32));

    public static Gen<StatementContext> Context { get; } =
        from names in Gen.ArrayOf(Text, 8)
        from identity in Hash
        from library in Hash
        from determinism in Gen.Elements(DeterminismClass.U, DeterminismClass.A, DeterminismClass.B, DeterminismClass.C)
        from padding in Gen.Elements(1u, 2u, 23u, 24u, 256u, 65_535u, 65_536u)
        from minimum in Gen.Elements(1u, 2u, 24u, 65_536u)
        select new StatementContext(
            names[0], names[1], identity,
            new RuntimeFingerprint(names[2], names[3], library, names[4], names[5], names[6], names[7]), determinism, padding, minimum);

    public static Gen<ChainView?> ChainView { get; } = Gen.OneOf(
        Gen.Constant<ChainView?>(null),
        from id in U64 from number in U64 from hash in Hash select (ChainView?)new ChainView(id, number, hash));

    public static Gen<byte[]> Signature { get; } =
        from bytes in Bytes(64) from v in Gen.Choose(0, 1) select (byte[])[.. bytes, (byte)v];

    public static Gen<Statement> Statement { get; } =
        from hashes in Gen.ArrayOf(Hash, 3)
        from sequence in U64
        from signature in Signature
        from context in Context
        from receipts in Gen.Elements(1u, 23u, 24u, 255u, 256u, 65_535u, 65_536u)
        from rows in U32
        from time in U64
        from chain in ChainView
        select new Statement
        {
            LogId = hashes[0], Epoch = hashes[1], RowsRoot = hashes[2], Sequence = sequence, Signature = signature, Context = context,
            Receipts = receipts, BatchRows = rows, HostTime = time, Chain = chain,
        };

    public static Gen<RowLeaf> RowLeaf { get; } =
        from salt in Bytes(16)
        from hashes in Gen.ArrayOf(Hash, 3)
        from slot in U32
        from rows in Gen.Elements<ushort>(0, 1, 255, 256, 65_535)
        select new RowLeaf(salt, hashes[0], hashes[1], hashes[2], slot, rows);

    public static Gen<Receipt> Receipt { get; } =
        from statement in Statement
        from row in U32
        from leaf in RowLeaf
        from path in Path(16)
        select new Receipt(statement.Encode(), row, leaf.ToArray(), path);

    public static Gen<EpochBinding> Binding { get; } =
        from keys in Gen.ListOf(from kind in Gen.Choose(0, 65_535) from spki in BytesUpTo(100) select new BoundKey((ushort)kind, spki))
        from build in Hash
        from libraries in Gen.ListOf(from name in Text from digest in Hash select (name, digest))
        from log in Hash
        from chain in U64
        from contract in Address
        from nonce in BytesUpTo(EpochBinding.MaxNonceSize)
        select new EpochBinding([.. keys.Take(8)], build, [.. libraries.Take(8)], log, chain, contract, nonce);

    public static Gen<Evidence> Evidence { get; } =
        from kind in Gen.Elements(EvidenceKind.Software, EvidenceKind.Nitro, EvidenceKind.SevSnp, EvidenceKind.Tdx, EvidenceKind.Tpm)
        from binding in Binding
        from document in BytesUpTo(400)
        select new Evidence(kind, binding.Encode(), document);

    public static Gen<SignedCheckpoint> Checkpoint { get; } =
        from size in U64
        from hashes in Gen.ArrayOf(Hash, 3)
        from chain in U64
        from contract in Address
        from signature in Signature
        from key in Bytes(32)
        from note in BytesUpTo(300)
        select new SignedCheckpoint(size, hashes[0], hashes[1], chain, contract, hashes[2], signature, key, note);

    public static Gen<ReceiptBundle> Bundle { get; } =
        from receipt in Receipt
        from evidence in Maybe(Evidence)
        from inclusion in Maybe(from index in U64 from size in U64 from path in Path(255) select new InclusionProof(index, size, path))
        from checkpoint in Maybe(Checkpoint)
        from second in Maybe(Evidence)
        from anchor in Maybe(from transaction in Hash from number in U64 from block in Hash from log in U32 select new AnchorClaim(transaction, number, block, log))
        from cosignatures in Maybe(from lines in Gen.ListOf(Cosignature) select lines.Take(4).SelectMany(line => line).ToArray())
        from consistency in Maybe(Path(64))
        select new ReceiptBundle
        {
            Receipt = receipt, Evidence = evidence, Inclusion = inclusion, Checkpoint = checkpoint, CheckpointEvidence = second, Anchor = anchor,
            Cosignatures = cosignatures, Consistency = consistency,
        };

    public static Gen<byte[]> Cosignature { get; } =
        from key in Bytes(32)
        from time in U64
        from signature in Bytes(64)
        select Formats.Cosignature.Line(new VerifierKey("witness.example/é", NoteKeyType.Cosignature, key), time, signature);

    private static Gen<T?> Maybe<T>(Gen<T> gen) where T : class => Gen.OneOf(Gen.Constant<T?>(null), gen.Select(value => (T?)value));
}
