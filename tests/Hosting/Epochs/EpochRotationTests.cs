using System.Collections.Concurrent;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Tests;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Epochs;

namespace OpenGradient.Engine.Hosting.Tests.Epochs;

/// <summary>Two keys side by side, and when there are two. The keys are the shim's; time is the test's.</summary>
public sealed class EpochRotationTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-rotation-");
    private readonly HandClock _clock = new();
    private readonly SoftwareRoot _root;
    private readonly List<EnclaveEpoch> _opened = [];
    private ChainView? _block = new(Shim.ChainId, 7, Hash256.Sha256("a block"u8));
    private int _looks;
    private string? _refusal;

    public EpochRotationTests() => _root = SoftwareRoot.Open(Shim.Loaded, Path.Combine(_folder.FullName, "root.key"));

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Seal_BatchThatBeganBeforeTheRotation_IsSealedByItsKeyUntilThatIsZeroed()
    {
        using var house = House();
        var (keys, rotation) = (house.Keys, house.Rotation);
        var first = keys.Current;
        var began = keys.ForBatch();

        var outcome = await rotation.RotateAsync(None);

        Assert.Null(outcome.Refusal);
        Assert.Equal((2L, keys.Current.Epoch.Id), (outcome.Begun!.Number, outcome.Begun.Epoch.Id));
        Assert.NotEqual(first.Epoch.Id, keys.Current.Epoch.Id);
        Assert.Equal(first.Epoch.Id, EpochOf(began));
        Assert.Equal(keys.Current.Epoch.Id, EpochOf(keys.ForBatch()));
        Assert.Equal(keys.Current.Epoch.Id, EpochOf(keys));
        Assert.Equal((first.Epoch.Id, 1L), (keys.Retiring!.Epoch.Id, keys.Retiring.Statements));

        _clock.Advance(TimeSpan.FromSeconds(29));
        await rotation.TickAsync(None);
        Assert.Equal(first.Epoch.Id, EpochOf(began));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await rotation.TickAsync(None);
        Assert.Null(keys.Retiring);
        Assert.Throws<ObjectDisposedException>(() => EpochOf(first)); // the key is gone
        Assert.Equal(keys.Current.Epoch.Id, EpochOf(began));          // and what took longer loses nothing
        Assert.Equal(first.Epoch, keys.Find(first.Epoch.Id));
        Assert.Null(keys.Find(Hash256.Sha256("nobody's"u8)));
    }

    [Fact]
    public async Task Tick_AsManyStatementsAsAKeyMaySign_RotatesForThatReason()
    {
        using var house = House(new RotationOptions { AfterStatements = 3, Overlap = TimeSpan.FromSeconds(30) });
        for (var i = 0; i < 2; i++) EpochOf(house.Keys);
        await house.Rotation.TickAsync(None);
        Assert.Equal(1, house.Keys.Status.Number);
        EpochOf(house.Keys);
        await house.Rotation.TickAsync(None);
        Assert.Equal((2L, 0L), (house.Keys.Status.Number, house.Keys.Status.Statements));
        Assert.Equal((1L, 0L, 0L), Counts(house.Rotation));

        // Not again while the key before is there, however much is signed.
        for (var i = 0; i < 9; i++) EpochOf(house.Keys);
        await house.Rotation.TickAsync(None);
        Assert.Equal(2, house.Keys.Status.Number);
        _clock.Advance(TimeSpan.FromSeconds(30));
        await house.Rotation.TickAsync(None);
        Assert.Equal(3, house.Keys.Status.Number);
    }

    [Fact]
    public async Task Tick_KeyAsOldAsItMayBecome_RotatesOverARecentBlock()
    {
        using var house = House(new RotationOptions { After = TimeSpan.FromHours(1), Overlap = TimeSpan.FromSeconds(30) });
        _clock.Advance(TimeSpan.FromMinutes(59));
        await house.Rotation.TickAsync(None);
        Assert.Equal((1L, 0), (house.Keys.Status.Number, _looks));
        _clock.Advance(TimeSpan.FromMinutes(1));
        _block = new ChainView(Shim.ChainId, 8, Hash256.Sha256("a later block"u8));
        await house.Rotation.TickAsync(None);
        Assert.Equal((2L, TimeSpan.Zero), (house.Keys.Status.Number, house.Keys.Status.Age));
        Assert.Equal((0L, 1L, 0L), Counts(house.Rotation));
        var binding = EpochBinding.Decode(Evidence.Decode(house.Keys.Current.Epoch.Evidence.Span).Binding.Span);
        Assert.Equal(_block.BlockHash.ToArray(), binding.Nonce.ToArray());
    }

    [Fact]
    public async Task Tick_WithoutLimits_NeverRotates()
    {
        using var house = House(new RotationOptions { Overlap = TimeSpan.FromSeconds(30) });
        EpochOf(house.Keys);
        _clock.Advance(TimeSpan.FromDays(1000));
        await house.Rotation.TickAsync(None);
        Assert.Equal(1, house.Keys.Status.Number);
    }

    [Fact]
    public async Task Rotate_WhileTheKeyBeforeIsThere_IsRefusedByName()
    {
        using var house = House();
        Assert.NotNull((await house.Rotation.RotateAsync(None)).Begun);
        var refused = await house.Rotation.RotateAsync(None);
        Assert.Null(refused.Begun);
        Assert.Contains("30 s after the last", refused.Refusal, StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull((await house.Rotation.RotateAsync(None)).Begun); // asking is reason enough to zero it
        Assert.Equal((0L, 0L, 2L), Counts(house.Rotation));
    }

    [Fact]
    public async Task Tick_ChainDoesNotAnswer_SaysSoAndTriesAgainLater()
    {
        using var house = House(new RotationOptions { After = TimeSpan.FromHours(1), Overlap = TimeSpan.FromSeconds(30) });
        var block = _block;
        _block = null;
        _clock.Advance(TimeSpan.FromHours(1));
        await house.Rotation.TickAsync(None);
        await house.Rotation.TickAsync(None);
        Assert.Contains("chain does not answer", house.Rotation.Trouble, StringComparison.Ordinal);
        Assert.Equal((1, 1L), (_looks, house.Keys.Status.Number)); // not asked at every look
        EpochOf(house.Keys);                                        // the key goes on

        Assert.Contains("chain does not answer", (await house.Rotation.RotateAsync(None)).Refusal, StringComparison.Ordinal);
        _block = block;
        _clock.Advance(TimeSpan.FromSeconds(10));
        await house.Rotation.TickAsync(None);
        Assert.Equal((2L, null), (house.Keys.Status.Number, house.Rotation.Trouble));
    }

    [Fact]
    public async Task Rotate_EvidenceNotAccepted_KeepsTheKeyAndZeroesTheNewOne()
    {
        using var house = House();
        _refusal = "evidence-root-not-trusted";
        var outcome = await house.Rotation.RotateAsync(None);
        Assert.Contains(_refusal, outcome.Refusal, StringComparison.Ordinal);
        Assert.Equal(1, house.Keys.Status.Number);
        Assert.Equal(2, _opened.Count);
        Assert.Throws<ObjectDisposedException>(() => EpochOf(_opened[1]));
        _refusal = null;
        Assert.Equal(2, (await house.Rotation.RotateAsync(None)).Begun!.Number);
    }

    [Fact]
    public async Task Seal_FromManyThreadsThroughManyRotations_SignsEveryBatchOnce()
    {
        using var house = House();
        var statements = new ConcurrentBag<Statement>();
        using var stop = new CancellationTokenSource();
        var sealing = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var batch = house.Keys.ForBatch();
                for (var i = 0; i < 3; i++) statements.Add(Sealed(batch));
            }
        })).ToArray();
        for (var rotation = 0; rotation < 20; rotation++)
        {
            // Of so many at least one batch began under the newest key: what began before has at most three statements from each thread.
            for (var enough = statements.Count + (3 * sealing.Length) + 1; statements.Count < enough && !sealing.Any(thread => thread.IsCompleted);) await Task.Delay(5);
            Assert.NotNull((await house.Rotation.RotateAsync(None)).Begun);
            _clock.Advance(TimeSpan.FromSeconds(30));
        }

        await stop.CancelAsync();
        await Task.WhenAll(sealing);
        Assert.Equal(statements.Count, statements.Select(statement => (statement.Epoch, statement.Sequence)).Distinct().Count());
        Assert.True(statements.Select(statement => statement.Epoch).Distinct().Count() > 2);
        var keys = _opened.ToDictionary(epoch => epoch.Epoch.Id, epoch => epoch.PublicKey);
        Assert.All(statements, statement => Assert.True(Shim.Signatures.VerifySecp256k1(keys[statement.Epoch].Span, statement.SignedDigest, statement.Signature.Span)));
    }

    private static Hash256 EpochOf(IBatchSealer sealer) => Sealed(sealer).Epoch;

    private static Statement Sealed(IBatchSealer sealer) => Statement.Decode(BatchBuilder.Seal(sealer, BatchBuilder.Plain(1)).Statement.Span);

    private static (long, long, long) Counts(EpochRotation rotation) =>
        (rotation.Rotations(RotationReason.Statements), rotation.Rotations(RotationReason.Age), rotation.Rotations(RotationReason.Asked));

    private Rotating House(RotationOptions? options = null)
    {
        var source = new EpochSource((seen, _) => Task.FromResult(Open(seen)), _ =>
        {
            _looks++;
            return Task.FromResult(_block);
        });
        var keys = new KeyEpochs(Open(_block), 1, null, _clock);
        keys.UpdateChainView(_block);
        var parts = new RotationParts { Keys = keys, Source = source, Clock = _clock, Learn = _ => _refusal };
        return new Rotating(keys, new EpochRotation(options ?? new RotationOptions { Overlap = TimeSpan.FromSeconds(30) }, parts));
    }

    private EnclaveEpoch Open(ChainView? seen)
    {
        _opened.Add(EnclaveEpoch.Open(
            Shim.Loaded, new EpochOptions { LogId = Shim.LogId, ChainId = Shim.ChainId, Contract = Shim.Contract, Attester = EvidenceKind.Software, SoftwareRoot = _root, Nonce = seen?.BlockHash.ToArray() ?? [] }, _clock));
        return _opened[^1];
    }

    private sealed record Rotating(KeyEpochs Keys, EpochRotation Rotation) : IDisposable
    {
        public void Dispose()
        {
            Rotation.Dispose();
            Keys.Dispose();
        }
    }

    /// <summary>Time goes when the test says so; timers are the system's.</summary>
    private sealed class HandClock : TimeProvider
    {
        private long _ticks = DateTimeOffset.UnixEpoch.AddYears(56).UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);
    }
}
