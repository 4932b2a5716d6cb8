using OpenGradient.Engine.Attestation.Tests.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.History;

namespace OpenGradient.Engine.Attestation.Tests.Verification.History;

public sealed class LedgerTests
{
    private static readonly DateTimeOffset At = MockPath.At;

    [Fact]
    public void Collateral_LowerOrEarlier_IsRefused()
    {
        var ledger = new CollateralLedger();
        Assert.True(ledger.See("a", 5, At));
        Assert.True(ledger.See("a", 5, At));
        Assert.False(ledger.See("a", 4, At.AddDays(1)));
        Assert.False(ledger.See("a", 6, At.AddSeconds(-1)));
        Assert.True(ledger.See("b", 1, At.AddDays(-9)));
        Assert.True(ledger.See("a", 6, At.AddDays(1)));
        Assert.False(ledger.See("a", 5, At.AddDays(1)));
        Assert.False(ledger.See("a\nb", 5, At));
        Assert.False(ledger.See("", 5, At));
        Assert.False(ledger.See("c", -1, At));
    }

    [Fact]
    public void Collateral_AfterARestart_IsRememberedStill()
    {
        var ledger = new CollateralLedger();
        ledger.See("tdx tcb 50806f000000", 17, At);
        ledger.See("crl of somebody", 0, At);
        var again = CollateralLedger.Load(ledger.Save());
        Assert.Equal(ledger.Save(), again.Save());
        Assert.False(again.See("tdx tcb 50806f000000", 16, At));
        Assert.False(again.See("crl of somebody", 0, At.AddSeconds(-1)));
    }

    [Theory]
    [InlineData("a\t1\t1")]
    [InlineData("a\t1\n")]
    [InlineData("a\t-1\t1\n")]
    [InlineData("a\t1\t1\na\t2\t2\n")]
    [InlineData("a\tx\t1\n")]
    [InlineData("a\t1\t99999999999999999\n")]
    public void Collateral_OfADamagedFile_IsNotReplacedByNothing(string text) => Assert.Throws<FormatException>(() => CollateralLedger.Load(text));

    [Fact]
    public void Collateral_OfMoreNamesThanFit_IsRefused()
    {
        var ledger = new CollateralLedger();
        for (var i = 0; i < 4096; i++) Assert.True(ledger.See($"name {i}", 1, At));
        Assert.False(ledger.See("one more", 1, At));
        Assert.True(ledger.See("name 7", 2, At));
    }

    [Fact]
    public void Nonce_UsedTwice_IsFreshOnce()
    {
        using var folder = new TemporaryFolder();
        using var ledger = NonceLedger.Open(folder.File("nonces"));
        Assert.Equal(NonceUse.Fresh, ledger.Use([1, 2, 3], At));
        Assert.Equal(NonceUse.Used, ledger.Use([1, 2, 3], At));
        Assert.Equal(NonceUse.Used, ledger.Use([1, 2, 3], At.AddYears(1)));
        Assert.Equal(NonceUse.Fresh, ledger.Use([1, 2, 4], At));
    }

    [Fact]
    public void Nonce_AfterARestart_IsUsedStill()
    {
        using var folder = new TemporaryFolder();
        using (var ledger = NonceLedger.Open(folder.File("nonces"))) Assert.Equal(NonceUse.Fresh, ledger.Use([1], At));
        File.AppendAllBytes(folder.File("nonces"), [1, 2, 3]);
        using (var ledger = NonceLedger.Open(folder.File("nonces")))
        {
            Assert.Equal(NonceUse.Used, ledger.Use([1], At));
            Assert.Equal(NonceUse.Fresh, ledger.Use([2], At));
        }

        Assert.Equal(80, new FileInfo(folder.File("nonces")).Length);
        using (var ledger = NonceLedger.Open(folder.File("nonces"))) Assert.Equal(NonceUse.Used, ledger.Use([2], At));
    }

    [Fact]
    public void Nonce_WhenEveryPlaceIsTaken_IsRefusedUntilOneIsOldEnough()
    {
        using var folder = new TemporaryFolder();
        using (var ledger = NonceLedger.Open(folder.File("nonces"), TimeSpan.FromHours(1), capacity: 2))
        {
            Assert.Equal(NonceUse.Fresh, ledger.Use([1], At));
            Assert.Equal(NonceUse.Fresh, ledger.Use([2], At.AddMinutes(30)));
            Assert.Equal(NonceUse.Full, ledger.Use([3], At.AddMinutes(60)));
            Assert.Equal(NonceUse.Fresh, ledger.Use([3], At.AddMinutes(61)));
            Assert.Equal(NonceUse.Used, ledger.Use([2], At.AddMinutes(61)));
            // The clock goes back to where the first one was used.
            Assert.Equal(NonceUse.Past, ledger.Use([1], At));
        }

        using var again = NonceLedger.Open(folder.File("nonces"), TimeSpan.FromHours(1), capacity: 2);
        Assert.Equal(NonceUse.Used, again.Use([2], At.AddMinutes(61)));
        Assert.Equal(NonceUse.Used, again.Use([3], At.AddMinutes(61)));
        Assert.Equal(NonceUse.Past, again.Use([1], At));
    }

    [Fact]
    public void Nonce_FromManyThreads_IsFreshOnce()
    {
        using var folder = new TemporaryFolder();
        using var ledger = NonceLedger.Open(folder.File("nonces"));
        var fresh = 0;
        Parallel.For(0, 64, i =>
        {
            if (ledger.Use([(byte)(i % 4)], At) == NonceUse.Fresh) Interlocked.Increment(ref fresh);
        });
        Assert.Equal(4, fresh);
    }

    [Fact]
    public void Ledger_HeldByAnother_CannotBeOpened()
    {
        using var folder = new TemporaryFolder();
        using var ledger = NonceLedger.Open(folder.File("nonces"));
        Assert.Throws<IOException>(() => NonceLedger.Open(folder.File("nonces")));
    }

    [Fact]
    public void Ledger_OfMoreThanItsCapacity_IsNotOpened()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("nonces"), new byte[120]);
        Assert.Throws<FormatException>(() => NonceLedger.Open(folder.File("nonces"), capacity: 2));
    }
}
