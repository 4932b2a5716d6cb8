using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;

namespace OpenGradient.Engine.Hosting.Tests.Attesting;

/// <summary>What a folder remembers of its own epochs' evidence.</summary>
public sealed class AcceptedEpochsTests : IDisposable
{
    private static readonly EvidenceTrust Nothing = new(new HashSet<EvidenceKind>(), [], new HashSet<Hash256>());
    private static readonly Hash256 Policy = Hash256.Sha256("policy"u8);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-accepted-");

    private string Path => System.IO.Path.Combine(_folder.FullName, "accepted-epochs");

    public void Dispose() => _folder.Delete(recursive: true);

    private static Evidence Of(byte seed, EvidenceKind kind = EvidenceKind.Tpm) => new(kind, new byte[] { seed }, new byte[] { 1, seed });

    private static Epoch Epoch(Evidence evidence) => new(evidence.Epoch, default, evidence.Encode());

    private static bool Accepts(AcceptedEpochs epochs, Evidence evidence) => epochs.Verify(evidence, Nothing, DateTimeOffset.UnixEpoch).Count == 0;

    [Fact]
    public void Remembered_AfterARestart_IsAcceptedStillAndNothingElseIs()
    {
        AcceptedEpochs.Open(new Refusing(), Path).Remember(Epoch(Of(1)), DateTimeOffset.UnixEpoch, Policy);
        AcceptedEpochs.Open(new Refusing(), Path).Remember(Epoch(Of(2)), DateTimeOffset.UnixEpoch, Policy);
        var later = AcceptedEpochs.Open(new Refusing(), Path);
        Assert.True(Accepts(later, Of(1)));
        Assert.True(Accepts(later, Of(2)));
        Assert.False(Accepts(later, Of(3)));
        Assert.False(Accepts(later, Of(1) with { Document = new byte[] { 9 } }));
    }

    [Fact]
    public void Software_IsJudgedAnewEveryTime()
    {
        var epochs = AcceptedEpochs.Open(new Refusing(), Path);
        epochs.Remember(Epoch(Of(1, EvidenceKind.Software)), DateTimeOffset.UnixEpoch, Policy);
        Assert.False(Accepts(epochs, Of(1, EvidenceKind.Software)));
    }

    [Fact]
    public void Line_ThatACrashCutShort_IsForgottenAndTheNextIsWhole()
    {
        AcceptedEpochs.Open(new Refusing(), Path).Remember(Epoch(Of(1)), DateTimeOffset.UnixEpoch, Policy);
        var whole = File.ReadAllText(Path);
        for (var kept = 0; kept < whole.Length; kept += 13)
        {
            File.WriteAllText(Path, whole + whole[..kept]);
            AcceptedEpochs.Open(new Refusing(), Path).Remember(Epoch(Of(2)), DateTimeOffset.UnixEpoch, Policy);
            var later = AcceptedEpochs.Open(new Refusing(), Path);
            Assert.True(Accepts(later, Of(1)) && Accepts(later, Of(2)), $"with {kept} characters of another line");
            Assert.Equal(2, File.ReadAllLines(Path).Length);
        }
    }

    [Fact]
    public void File_ThatIsSomethingElse_IsRefused()
    {
        File.WriteAllText(Path, "not what a host writes\n");
        Assert.Throws<IOException>(() => AcceptedEpochs.Open(new Refusing(), Path));
    }

    private sealed class Refusing : IEvidenceVerifier
    {
        public IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at) => [new(VerificationReason.EvidenceOutOfTime, "long ago")];
    }
}
