using OpenGradient.Engine.Attestation.Interop;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Attestation;

/// <summary>
/// One life of the signing key, inside the shim: seals batches, signs checkpoints of its own log, gives evidence.
/// Safe for concurrent calls. Disposing waits for calls in progress, then zeroes the key.
/// </summary>
public sealed unsafe class EnclaveEpoch : IBatchSealer, ICheckpointSigner, IDisposable
{
    private readonly ShimFunctions _functions;
    private readonly NativeHandle _handle;
    private readonly TimeProvider _time;
    private readonly EpochOptions _options;

    // Written by the chain follower, read by every sealing thread; the record is immutable.
    private volatile ChainView? _chain;

    private EnclaveEpoch(ShimFunctions functions, NativeHandle handle, EpochOptions options, TimeProvider time)
    {
        _functions = functions;
        _handle = handle;
        _options = options;
        _time = time;
        var id = stackalloc byte[Hash256.Size];
        var key = new byte[65];
        using (var loan = handle.Borrow())
        {
            fixed (byte* uncompressed = key)
                ShimStatus.Check(functions.EpochDescribe(loan.Value, id, uncompressed), "the epoch could not be described");
        }

        PublicKey = key;
        Epoch = new Epoch(new Hash256(new ReadOnlySpan<byte>(id, Hash256.Size)), EvmAddress.OfPublicKey(key), ReadEvidence());
    }

    public Epoch Epoch { get; }

    /// <summary>65 bytes, uncompressed.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Generates the key inside the shim and has the attester vouch for it.</summary>
    /// <exception cref="AttestationException">The attester is not available, or the key page could not be locked.</exception>
    public static EnclaveEpoch Open(AttestationShim shim, EpochOptions options, TimeProvider time)
    {
        var epoch = EpochOpening.Open(shim.Functions, options, UnixSeconds(time));
        var handle = new NativeHandle(epoch, shim.Functions.EpochClose);
        try
        {
            return new EnclaveEpoch(shim.Functions, handle, options, time);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The newest block seen; statements sealed from now on say so. Null: none.</summary>
    public void UpdateChainView(ChainView? view) => _chain = view;

    /// <inheritdoc/>
    public SealedBatch Seal(in BatchToSeal batch)
    {
        if (batch.Rows.Length is 0 or > Statement.MaxReceipts) throw new ArgumentException($"a batch has 1 to {Statement.MaxReceipts} rows", nameof(batch));
        var leaves = GC.AllocateUninitializedArray<byte>(batch.Rows.Length * RowLeaf.Size);
        var tree = GC.AllocateUninitializedArray<byte>(RowTree.NodeCount(batch.Rows.Length) * Hash256.Size);
        var receiptIds = GC.AllocateUninitializedArray<byte>(batch.Rows.Length * ReceiptId.Size);
        return SealInto(batch, leaves, tree, receiptIds);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The claim is about another log, chain or contract than this epoch's.</exception>
    /// <exception cref="AttestationException">Another root was signed at this size, or the epoch has ended.</exception>
    public byte[] SignCheckpoint(in CheckpointClaim claim)
    {
        if (claim.LogId != _options.LogId || claim.ChainId != _options.ChainId || claim.Contract != _options.Contract)
            throw new ArgumentException("an epoch signs checkpoints of its own log, chain and contract only", nameof(claim));
        NativeCheckpoint checkpoint;
        checkpoint.Size = claim.Size;
        claim.Root.Bytes.CopyTo(new Span<byte>(checkpoint.Root, Hash256.Size));
        claim.PreviousHead.Bytes.CopyTo(new Span<byte>(checkpoint.PreviousHead, Hash256.Size));

        var signature = new byte[Statement.SignatureSize];
        NativeError error;
        using var loan = _handle.Borrow();
        fixed (byte* signed = signature)
            ShimStatus.Check(_functions.EpochSignCheckpoint(loan.Value, &checkpoint, signed, &error), error);
        return signature;
    }

    /// <summary>
    /// Evidence made now for the same key and a caller's challenge of 1 to 64 bytes. Its binding differs from the epoch's in
    /// the nonce alone; whoever challenged compares the key inside with the one that signs.
    /// </summary>
    public byte[] FreshEvidence(ReadOnlySpan<byte> challenge)
    {
        if (challenge.Length is 0 or > EpochBinding.MaxNonceSize) throw new ArgumentException($"a challenge is 1 to {EpochBinding.MaxNonceSize} bytes", nameof(challenge));
        var seconds = UnixSeconds(_time);
        var buffer = new byte[Evidence.MaxSize];
        nuint written;
        NativeError error;
        using var loan = _handle.Borrow();
        fixed (byte* nonce = challenge, evidence = buffer)
            ShimStatus.Check(_functions.EpochChallenge(loan.Value, nonce, (nuint)challenge.Length, seconds, evidence, (nuint)buffer.Length, &written, &error), error);
        return buffer[..(int)written];
    }

    public void Dispose() => _handle.Dispose();

    public override string ToString() => $"epoch {Epoch.Id}";

    private SealedBatch SealInto(in BatchToSeal batch, byte[] leaves, byte[] tree, byte[] receiptIds)
    {
        var view = _chain;
        NativeChainView chain;
        if (view is not null)
        {
            chain.ChainId = view.ChainId;
            chain.BlockNumber = view.BlockNumber;
            view.BlockHash.Bytes.CopyTo(new Span<byte>(chain.BlockHash, Hash256.Size));
        }

        var statement = stackalloc byte[Statement.MaxSize];
        NativeError error;
        using var loan = _handle.Borrow();
        fixed (byte* context = batch.Context, leafBytes = leaves, treeBytes = tree, idBytes = receiptIds)
        fixed (RowView* rows = batch.Rows)
        {
            var native = new NativeBatch
            {
                Context = context, ContextSize = (nuint)batch.Context.Length,
                Rows = rows, RowCount = (uint)batch.Rows.Length, BatchRows = batch.BatchRows,
                HostTime = UnixNanoseconds(_time), Chain = view is null ? null : &chain,
            };
            var made = new NativeSealed
            {
                Statement = statement, StatementCapacity = Statement.MaxSize,
                Leaves = leafBytes, LeavesCapacity = (nuint)leaves.Length,
                Tree = treeBytes, TreeCapacity = (nuint)tree.Length,
                ReceiptIds = idBytes, ReceiptIdsCapacity = (nuint)receiptIds.Length,
            };
            var status = _functions.EpochSeal(loan.Value, &native, &made, &error);
            if (status == ShimStatus.Ok)
            {
                var id = new Hash256(new ReadOnlySpan<byte>(made.StatementId, Hash256.Size));
                return new SealedBatch(new ReadOnlySpan<byte>(statement, (int)made.StatementSize).ToArray(), leaves, tree, id, receiptIds)
                {
                    HashTime = Span(made.HashNanoseconds),
                    SignTime = Span(made.SignNanoseconds),
                };
            }

            var failure = ShimStatus.Failure(status, NativeError.Describe(error), error.OsError);
            throw new SealingException(failure.Message, failure);
        }
    }

    private byte[] ReadEvidence()
    {
        var buffer = new byte[Evidence.MaxSize];
        nuint written;
        NativeError error;
        using var loan = _handle.Borrow();
        fixed (byte* evidence = buffer)
            ShimStatus.Check(_functions.EpochEvidence(loan.Value, evidence, (nuint)buffer.Length, &written, &error), error);
        return buffer[..(int)written];
    }

    private static TimeSpan Span(ulong nanoseconds) => TimeSpan.FromTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick));

    private static ulong UnixSeconds(TimeProvider time) => (ulong)Math.Max(0, time.GetUtcNow().ToUnixTimeSeconds());

    private static ulong UnixNanoseconds(TimeProvider time) =>
        (ulong)Math.Max(0, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks) * TimeSpan.NanosecondsPerTick;
}
