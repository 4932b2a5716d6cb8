using System.CommandLine;
using System.Text;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og tpm</c>: enrols the attestation key of a machine's TPM, by three files (docs/attestation/tpm.md, "Enrolment").</summary>
internal static class TpmCommand
{
    private const int LargestChallenge = 1024, LargestExpectation = 256;

    private static ReadOnlySpan<byte> Envelope => "OGE evidence v1\0"u8;

    public static Command Create() => new("tpm", "Enrol the attestation key of a machine's TPM: challenge here, answer there, enrol here") { Challenge(), Answer(), Enrol() };

    private static Command Challenge()
    {
        var file = new Argument<string>("file") { Description = "Evidence of the machine: og attest's envelope, or a tpm document" };
        var policy = new Option<string>("--policy") { Description = "Policy file; its tpm section's keys are not looked at", Required = true };
        var at = new Option<string>("--at") { Description = "Time to judge at, as for og evidence verify", Required = true };
        var nonce = new Option<string>("--nonce") { Description = "The challenge that the evidence answers, in hexadecimal", Required = true };
        var collateral = new Option<string?>("--collateral") { Description = "File or folder with tpm-ek-issuers.pem" };
        var output = new Option<string>("--out") { Description = "File that gets the challenge, for the machine", Required = true };
        var expect = new Option<string>("--expect") { Description = "File that gets what the answer is held against; nothing secret", Required = true };
        var command = new Command("challenge", "Judge evidence as if its key were enrolled, and make a challenge that only its TPM answers. 0: made, 1: the evidence is not accepted")
        {
            file, policy, at, nonce, collateral, output, expect,
        };
        command.SetAction(parsed =>
        {
            var (document, data) = Open(EvidenceFiles.Read(parsed.GetValue(file)!, PlatformEvidence.LargestFile), EvidenceCommand.ReadHex("--nonce", parsed.GetValue(nonce))!.Value);
            var context = new VerificationContext
            {
                At = CommonOptions.ReadTime(parsed.GetValue(at))!.Value, Policy = EvidenceCommand.ReadPolicy(parsed.GetValue(policy)!), Nonce = data,
                Collateral = CollateralFolder.Read(parsed.GetValue(collateral)),
            };
            if (TpmEnrolment.Begin(document, context, out var result) is not { } enrolment)
            {
                EvidenceReport.Write(Console.Out, result, asJson: false);
                return ExitCodes.Failed;
            }

            EvidenceFiles.Write(parsed.GetValue(expect)!, Encoding.ASCII.GetBytes(enrolment.Expectation.ToString()));
            EvidenceFiles.Write(parsed.GetValue(output)!, enrolment.Challenge.ToArray());
            Console.WriteLine($"challenge for key {enrolment.Expectation.KeyName}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Answer()
    {
        var file = new Argument<string>("challenge") { Description = "The challenge" };
        var output = new Option<string>("--out") { Description = "File that gets the answer, 32 bytes", Required = true };
        var device = new Option<string?>("--tpm") { Description = "A TCTI's name instead of the system's own TPM" };
        var library = new Option<string?>("--library") { Description = "The shim, instead of the documented places" };
        var command = new Command("answer", "Answer a challenge with this machine's TPM. 0: answered, 1: it is for another TPM or key, or there is none") { file, output, device, library };
        command.SetAction(parsed =>
        {
            var challenge = EvidenceFiles.Read(parsed.GetValue(file)!, LargestChallenge);
            try
            {
                EvidenceFiles.Write(parsed.GetValue(output)!, TpmAnswer.To(AttestationShim.Load(parsed.GetValue(library)), challenge, parsed.GetValue(device)));
                return ExitCodes.Ok;
            }
            catch (AttestationException refused)
            {
                Console.Error.WriteLine($"error: {refused.Message}");
                return ExitCodes.Failed;
            }
        });
        return command;
    }

    private static Command Enrol()
    {
        var expect = new Argument<string>("expected") { Description = "What og tpm challenge --expect wrote" };
        var answer = new Argument<string>("answer") { Description = "What og tpm answer --out wrote" };
        var command = new Command("enrol", "Hold the answer against what was expected; print the key's name for the policy's keys. 0: enrolled, 1: another answer") { expect, answer };
        command.SetAction(parsed =>
        {
            var expectation = TpmExpectation.Parse(Encoding.ASCII.GetString(EvidenceFiles.Read(parsed.GetValue(expect)!, LargestExpectation)));
            if (!expectation.IsMetBy(EvidenceFiles.Read(parsed.GetValue(answer)!, LargestChallenge)))
            {
                Console.Error.WriteLine("error: another answer than the TPM of that endorsement key gives");
                return ExitCodes.Failed;
            }

            Console.WriteLine(expectation.KeyName);
            return ExitCodes.Ok;
        });
        return command;
    }

    // An envelope's nonce stands in its binding, whose digest the TPM signs; a bare document is over the nonce itself.
    private static (ReadOnlyMemory<byte> Document, ReadOnlyMemory<byte> Data) Open(byte[] file, ReadOnlyMemory<byte> nonce)
    {
        if (!file.AsSpan().StartsWith(Envelope)) return (file, nonce);
        var evidence = Evidence.Decode(file);
        if (evidence.Kind != EvidenceKind.Tpm) throw new FormatException($"the evidence is of kind {evidence.Kind}, not of a TPM");
        if (!EpochBinding.Decode(evidence.Binding.Span).Nonce.Span.SequenceEqual(nonce.Span)) throw new FormatException("the evidence answers another nonce");
        return (evidence.Document, evidence.Epoch.ToArray());
    }
}
