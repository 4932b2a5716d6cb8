using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>What <c>og verify</c> does, without a process for each file.</summary>
internal static class Verifier
{
    private static readonly BundleVerifier Bundles = Create();

    public static async Task<IReadOnlyList<VerificationFailure>> Check(byte[] file, TrustPolicy trust, RpcClient rpc)
    {
        var failures = Bundles.Verify(file, trust);
        return failures.Count > 0 ? failures : await AnchorChecker.Check(ReceiptBundle.Decode(file), trust, rpc, CancellationToken.None);
    }

    private static BundleVerifier Create()
    {
        var signatures = new NativeSignatures(AttestationShim.Load());
        return new BundleVerifier(signatures, new EvidenceVerifier(signatures));
    }
}
