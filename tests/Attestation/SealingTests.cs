using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

public sealed class SealingTests : WithEpoch
{
    /// <summary>Everything the shim wrote, against the managed formats.</summary>
    private Statement CheckAgainstFormats(SealedBatch batch, IReadOnlyList<TestRow> rows)
    {
        var statement = Statement.Decode(batch.Statement.Span);
        Assert.Equal(batch.Statement.ToArray(), statement.Encode());
        Assert.Equal(Shim.LogId, statement.LogId);
        Assert.Equal(_epoch.Epoch.Id, statement.Epoch);
        Assert.Equal((uint)rows.Count, statement.Receipts);
        Assert.True(Shim.Signatures.VerifySecp256k1(_epoch.PublicKey.Span, statement.SignedDigest, statement.Signature.Span));
        var hashes = new Hash256[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            var leaf = RowLeaf.Decode(batch.LeafPreimage(i));
            Assert.Equal(rows[i].Request, leaf.Request);
            Assert.Equal(rows[i].Output, leaf.Output);
            Assert.Equal(TensorSetDigest.NoParameters, leaf.Parameters);
            Assert.Equal((rows[i].FirstSlot, rows[i].RowCount), (leaf.FirstSlot, leaf.Rows));
            hashes[i] = RowLeaf.HashOf(batch.LeafPreimage(i));
            Assert.Equal(hashes[i], batch.LeafHash(i));
            Assert.Equal(ReceiptId.Of(batch.LeafPreimage(i)), batch.ReceiptId(i));
        }

        Assert.Equal(MerkleTree.LeafHash(batch.Statement.Span), batch.StatementId);
        Assert.Equal(MerkleTree.Root(hashes), statement.RowsRoot);
        for (var i = 0; i < rows.Count; i++)
        {
            var receipt = batch.Receipt(i);
            Assert.Equal(statement.RowsRoot, MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path));
            Assert.Equal(receipt.Encode(), Receipt.Decode(receipt.Encode()).Encode());
        }

        return statement;
    }

    [Fact]
    public void Seal_AnyBatch_CarriesTheTimesOfHashingAndSigning()
    {
        var batch = BatchBuilder.Seal(_epoch, BatchBuilder.Plain(64));
        Assert.InRange(batch.HashTime, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        Assert.InRange(batch.SignTime, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Seal_OneToSeventyAndAThousandRows_EqualsTheManagedFormats()
    {
        foreach (var count in Enumerable.Range(1, 70).Append(1000))
        {
            var rows = BatchBuilder.Plain(count);
            CheckAgainstFormats(BatchBuilder.Seal(_epoch, rows), rows);
        }
    }

    [Fact]
    public void Seal_SeveralEmptyAndUnequalTensors_EqualsTheManagedFormats()
    {
        TestTensor a = new("a", [1, 2, 3, 4], 2, 2), empty = new("b", [], 0, 7), large = new("größe", [.. Enumerable.Range(0, 5000).Select(i => (byte)i)], 5000), scalar = new("s", [7]);
        TestRow[] rows =
        [
            new([a, empty, large], [scalar], 0, 2), new([a, empty, large], [scalar], 2), new([], [], 3), new([], [], 3),
            new([empty], [a, empty], 4, 3), new([large, scalar], [], 7),
        ];
        var statement = CheckAgainstFormats(BatchBuilder.Seal(_epoch, rows, batchRows: 12), rows);
        Assert.Equal(12u, statement.BatchRows);
    }

    [Fact]
    public void Seal_SameRequestTwice_GivesDifferentLeavesAndIds()
    {
        TestRow row = new([new TestTensor("x", [1])], [new TestTensor("y", [2])], 0), next = row with { FirstSlot = 1 };
        var batch = BatchBuilder.Seal(_epoch, [row, next]);
        Assert.NotEqual(batch.ReceiptId(0), batch.ReceiptId(1));
        Assert.NotEqual(RowLeaf.Decode(batch.LeafPreimage(0)).Salt.ToArray(), RowLeaf.Decode(batch.LeafPreimage(1)).Salt.ToArray());
    }

    [Fact]
    public void Seal_WithChainView_SaysTheNewestBlockSeen()
    {
        var rows = BatchBuilder.Plain(2);
        Assert.Null(CheckAgainstFormats(BatchBuilder.Seal(_epoch, rows), rows).Chain);
        var view = new ChainView(Shim.ChainId, 77, Hash256.Sha256("block"u8));
        _epoch.UpdateChainView(view);
        Assert.Equal(view, CheckAgainstFormats(BatchBuilder.Seal(_epoch, rows), rows).Chain);
        _epoch.UpdateChainView(null);
        Assert.Null(CheckAgainstFormats(BatchBuilder.Seal(_epoch, rows), rows).Chain);
    }

    [Fact]
    public void Seal_HostTime_ComesFromTheProvider()
    {
        var time = new FixedTime(DateTimeOffset.UnixEpoch.AddTicks(17_000_000_000_000_123));
        using var epoch = Shim.OpenEpoch(_root, time);
        var batch = BatchBuilder.Seal(epoch, BatchBuilder.Plain(1));
        Assert.Equal(1_700_000_000_000_012_300ul, Statement.Decode(batch.Statement.Span).HostTime);
        Assert.Equal(1_700_000_000ul, SoftwareDocument.Decode(Evidence.Decode(epoch.Epoch.Evidence.Span).Document.Span).Time);
    }

    [Fact]
    public async Task Seal_FromManyThreads_GivesEverySequenceNumberOnce()
    {
        var sequences = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 100).Select(_ => Statement.Decode(BatchBuilder.Seal(_epoch, BatchBuilder.Plain(3)).Statement.Span).Sequence).ToArray())));
        Assert.All(sequences, own => Assert.Equal(own.Order(), own));
        Assert.Equal(Enumerable.Range(1, 400).Select(i => (ulong)i), sequences.SelectMany(own => own).Order());
    }

    [Fact]
    public void Seal_RowOutsideTheBatch_IsRefusedByName()
    {
        var failure = Assert.Throws<SealingException>(() => BatchBuilder.Seal(_epoch, BatchBuilder.Plain(3), batchRows: 2));
        Assert.Contains("row 2", failure.Message, StringComparison.Ordinal);
        Assert.Equal(AttestationFailure.OutOfRange, Assert.IsType<AttestationException>(failure.InnerException).Status);
    }

    [Fact]
    public void Seal_WithoutContextOrRows_IsRefused()
    {
        Assert.Throws<SealingException>(() => BatchBuilder.Seal(_epoch, BatchBuilder.Plain(1), context: []));
        Assert.Throws<SealingException>(() => BatchBuilder.Seal(_epoch, BatchBuilder.Plain(1), context: new byte[StatementContext.MaxSize + 1]));
        Assert.Throws<ArgumentException>(() => BatchBuilder.Seal(_epoch, [], batchRows: 1));
    }

    [Fact]
    public void Seal_AfterDispose_Throws()
    {
        var epoch = Shim.OpenEpoch(_root);
        epoch.Dispose();
        epoch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => BatchBuilder.Seal(epoch, BatchBuilder.Plain(1)));
    }

    [Fact]
    public unsafe void Seal_SteadyState_AllocatesTheBatchAlone()
    {
        var rows = new RowView[64];
        byte header = 0;
        var tensor = new TensorView { Header = &header, HeaderLength = 1 };
        fixed (byte* parameters = new byte[32])
        {
            for (var i = 0; i < rows.Length; i++)
                rows[i] = new RowView { Inputs = &tensor, InputCount = 1, Outputs = &tensor, OutputCount = 1, ParameterDigest = parameters, FirstSlot = (uint)i, RowCount = 1 };
            var context = Shim.Context.Encode();
            SealedBatch Seal() => _epoch.Seal(new BatchToSeal { Context = context, BatchRows = 64, Rows = rows });
            var statement = Seal().Statement.Length;
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++) Seal();
            var each = (GC.GetAllocatedBytesForCurrentThread() - before) / 10;
            Assert.InRange(each, 0, statement + (64 * RowLeaf.Size) + (RowTree.NodeCount(64) * Hash256.Size) + (64 * ReceiptId.Size) + 256);
        }
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
