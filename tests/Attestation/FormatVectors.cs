using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

/// <summary>
/// The golden vectors of docs/formats.md, computed with the managed formats from fixed inputs. The C harness recomputes
/// each one with its own code from the inputs in the file.
/// </summary>
internal sealed class FormatVectors
{
    private readonly SortedDictionary<string, string> _vectors = new(StringComparer.Ordinal);
    private static readonly byte[] StatementSecret = Filled(32, 0x11);
    private static readonly byte[] RootSecret = Filled(32, 0x22);
    private static readonly byte[] LogSeed = Filled(32, 0x33);
    private static readonly EvmAddress Contract = EvmAddress.Parse("0x00112233445566778899aabbccddeeff00112233");
    private const ulong ChainId = 31337;

    public IReadOnlyDictionary<string, string> Compute()
    {
        Hashes();
        var (request, output) = Tensors();
        var leaf = Leaf(request, output);
        Trees();
        var logId = LogId();
        var epoch = Binding(logId, out var evidence);
        var statement = Statements(logId, epoch, leaf);
        var checkpoint = Checkpoint(logId, epoch, statement);
        Receipts(statement, leaf, evidence, checkpoint);
        return _vectors;
    }

    private void Hashes()
    {
        Add("hash.input", Filled(200, 0x5a));
        Add("hash.sha256", Hash256.Sha256(Filled(200, 0x5a)));
        Add("hash.keccak256", Keccak256.Hash(Filled(200, 0x5a)));
        Add("hash.keccak256_empty", Keccak256.Hash([]));
    }

    private (Hash256 Request, Hash256 Output) Tensors()
    {
        var a = TensorSetDigest.Header("a", 1, [2, 3], 24);
        var b = TensorSetDigest.Header("b\u00fc", 9, [2, 0], 0);
        var data = Counting(24);
        Add("tensor.a.header", a);
        Add("tensor.a.data", data);
        Add("tensor.b.header", b);
        var none = TensorSetDigest.Of([]);
        var one = TensorSetDigest.Of([("a", a, data)]);
        var two = TensorSetDigest.Of([("b\u00fc", b, default), ("a", a, data)]);
        Add("tensors.none.digest", none);
        Add("tensors.a.digest", one);
        Add("tensors.ab.digest", two);
        Add("params.none.digest", TensorSetDigest.NoParameters);
        return (two, one);
    }

    private byte[] Leaf(in Hash256 request, in Hash256 output)
    {
        var leaf = new RowLeaf(Counting(16), request, output, TensorSetDigest.NoParameters, 7, 3).ToArray();
        Add("leaf.salt", Counting(16));
        Add("leaf.preimage", leaf);
        Add("leaf.hash", RowLeaf.HashOf(leaf));
        Add("leaf.receipt_id", ReceiptId.Of(leaf).Bytes);
        return leaf;
    }

    // Leaf i is 118 bytes of value i.
    private void Trees()
    {
        foreach (var count in (int[])[1, 2, 3, 5, 8, 13])
        {
            var leaves = Enumerable.Range(0, count).Select(i => RowLeaf.HashOf(Filled(RowLeaf.Size, (byte)i))).ToArray();
            Add($"tree.{count}.root", MerkleTree.Root(leaves));
        }
    }

    private Hash256 LogId()
    {
        var publicKey = Shim.Signatures.Ed25519PublicKeyOf(LogSeed);
        Add("log.seed", LogSeed);
        Add("log.public_key", publicKey);
        Add("log.id", SignedNote.LogIdOf(publicKey));
        return SignedNote.LogIdOf(publicKey);
    }

    private Hash256 Binding(in Hash256 logId, out Evidence evidence)
    {
        var key = Shim.Signatures.PublicKeyOf(StatementSecret);
        var build = Hash256.Sha256("a build"u8);
        var binding = new EpochBinding(
            [new BoundKey(BoundKey.Secp256k1, EpochBinding.Secp256k1Spki(key))], build,
            [("libonnxruntime.so.1", Hash256.Sha256("runtime"u8)), ("libü.so", Hash256.Sha256("other"u8))], logId, ChainId, Contract, Counting(32)).Encode();
        Add("epoch.secret", StatementSecret);
        Add("epoch.public_key", key);
        Add("epoch.address", EvmAddress.OfPublicKey(key).ToArray());
        Add("epoch.build_digest", build);
        Add("epoch.library.0.digest", Hash256.Sha256("runtime"u8));
        Add("epoch.library.1.digest", Hash256.Sha256("other"u8));
        Add("epoch.contract", Contract.ToArray());
        Add("epoch.nonce", Counting(32));
        Add("epoch.binding", binding);
        Add("epoch.id", Hash256.Sha256(binding));

        evidence = new Evidence(EvidenceKind.Software, binding, default);
        evidence = evidence with { Document = SoftwareDocumentBytes(evidence.ReportData, build) };
        Add("evidence.root_secret", RootSecret);
        Add("evidence.document", evidence.Document.Span);
        Add("evidence.envelope", evidence.Encode());
        return evidence.Epoch;
    }

    private static byte[] SoftwareDocumentBytes(byte[] reportData, in Hash256 build)
    {
        var root = NativeSignatures.Compress(Shim.Signatures.PublicKeyOf(RootSecret));
        var signed = new ByteWriter().Tag("OGE software v1"u8).Bytes(reportData).Hash(build).U64(1_800_000_000).Bytes(root).ToArray();
        return [.. signed, .. Shim.Signatures.Sign(RootSecret, Hash256.Sha256(signed)).AsSpan(0, 64)];
    }

    private byte[] Statements(in Hash256 logId, in Hash256 epoch, byte[] leaf)
    {
        var statement = new Statement
        {
            LogId = logId, Epoch = epoch, Sequence = 0x0102030405060708, Signature = default, Context = Shim.Context,
            RowsRoot = RowLeaf.HashOf(leaf), Receipts = 1, BatchRows = 12, HostTime = 1_800_000_000_123_456_700,
            Chain = new ChainView(ChainId, 1_000_000, Hash256.Sha256("a block"u8)),
        };
        statement = statement with { Signature = Shim.Signatures.Sign(StatementSecret, statement.SignedDigest) };
        Add("statement.context", Shim.Context.Encode());
        Add("statement.context_with_minimum_rows", (Shim.Context with { PaddingMultiple = 1, MinimumRows = 2 }).Encode());
        Add("statement.block_hash", Hash256.Sha256("a block"u8));
        Add("statement.body", statement.EncodeBody());
        Add("statement.body_without_chain", (statement with { Chain = null }).EncodeBody());
        Add("statement.header", statement.EncodeHeader(statement.EncodeBody()));
        Add("statement.signature", statement.Signature.Span);
        Add("statement.bytes", statement.Encode());
        return statement.Encode();
    }

    private SignedCheckpoint Checkpoint(in Hash256 logId, in Hash256 epoch, byte[] statement)
    {
        var claim = new CheckpointClaim(logId, 1, MerkleTree.LeafHash(statement), LogHead.Empty, ChainId, Contract);
        var note = SignedNote.Text(logId, claim.Size, claim.Root);
        var noteSignature = Shim.Signatures.SignEd25519(LogSeed, note);
        var key = Shim.Signatures.Ed25519PublicKeyOf(LogSeed);
        var checkpoint = new SignedCheckpoint(
            claim.Size, claim.Root, claim.PreviousHead, ChainId, Contract, epoch,
            Shim.Signatures.Sign(StatementSecret, claim.Digest()), key, SignedNote.Encode(key, claim.Size, claim.Root, noteSignature));
        Add("checkpoint.root", claim.Root);
        Add("checkpoint.previous_head", claim.PreviousHead);
        Add("checkpoint.digest", claim.Digest());
        Add("checkpoint.signature", checkpoint.Signature.Span);
        Add("checkpoint.note_text", note);
        Add("checkpoint.note_signature", noteSignature);
        Add("checkpoint.note", checkpoint.Note.Span);
        return checkpoint;
    }

    private void Receipts(byte[] statement, byte[] leaf, Evidence evidence, SignedCheckpoint checkpoint)
    {
        var receipt = new Receipt(statement, 0, leaf, []);
        Add("receipt.bytes", receipt.Encode());
        Add("bundle.bytes", new ReceiptBundle
        {
            Receipt = receipt, Evidence = evidence, Inclusion = new InclusionProof(0, 1, []), Checkpoint = checkpoint,
            Anchor = new AnchorClaim(Hash256.Sha256("a transaction"u8), 1_000_001, Hash256.Sha256("its block"u8), 4),
        }.Encode());
    }

    private void Add(string name, ReadOnlySpan<byte> bytes) => _vectors.Add(name, Convert.ToHexStringLower(bytes));

    private void Add(string name, in Hash256 hash) => Add(name, hash.Bytes);

    private static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];
}
