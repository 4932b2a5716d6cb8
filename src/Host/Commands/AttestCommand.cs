using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og attest</c>: evidence of this machine for a challenge, in its envelope. What <c>og evidence verify</c> judges.</summary>
internal static class AttestCommand
{
    private static readonly string[] Kinds = ["software", "nitro", "sev-snp", "tdx", "tpm"];

    public static Command Create()
    {
        var attester = new Option<string>("--attester") { Description = "nitro, sev-snp, tdx, tpm; or software, for development (og doctor says which answer here)", Required = true };
        var nonce = new Option<string>("--nonce") { Description = "The challenge, 1 to 64 bytes in hexadecimal", Required = true };
        var output = new Option<string>("--out") { Description = "File that gets the evidence: the envelope of docs/formats.md, over a key that ends with the command", Required = true };
        var tpm = new Option<string?>("--tpm") { Description = "A TPM that is not /dev/tpmrm0: a device's path or a TCTI's name" };
        var root = new Option<string?>("--software-root") { Description = "Key file of the development root, made if it is not there; of the software attester alone" };
        var library = new Option<string?>("--library") { Description = "The shim, instead of the documented places" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("attest", "Make evidence of this machine for a challenge. 0: made, 1: the attester is not here or failed, 2: asked wrongly")
        {
            attester, nonce, output, tpm, root, library, json,
        };
        command.SetAction(parsed =>
        {
            var kind = Kind(parsed.GetValue(attester)!);
            var (file, challenge) = (parsed.GetValue(output)!, Nonce(parsed.GetValue(nonce)!));
            if (parsed.GetValue(tpm) is { } named && (kind != EvidenceKind.Tpm || !TpmDevice.IsName(named))) throw new FormatException("--tpm is a device's path or a TCTI's name, and goes with --attester tpm alone");
            if (kind == EvidenceKind.Software != parsed.GetValue(root) is not null) throw new FormatException("--software-root FILE goes with --attester software, and with it alone");
            var shim = AttestationShim.Load(parsed.GetValue(library));
            Epoch epoch;
            try
            {
                using var development = parsed.GetValue(root) is { } key ? SoftwareRoot.Open(shim, key) : null;
                epoch = MachineEvidence.Make(shim, kind, parsed.GetValue(tpm), development, challenge, TimeProvider.System);
            }
            catch (AttestationException unavailable)
            {
                Console.Error.WriteLine($"error: {unavailable.Message}");
                return ExitCodes.Failed;
            }

            File.WriteAllBytes(file, epoch.Evidence.Span);
            if (parsed.GetValue(json)) Console.WriteLine(Json(epoch, file));
            else Print(epoch, file);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static EvidenceKind Kind(string name) => Array.IndexOf(Kinds, name) is >= 0 and var index
        ? (EvidenceKind)(index + 1)
        : throw new FormatException($"--attester '{name}' is none of {string.Join(", ", Kinds)}");

    private static byte[] Nonce(string text)
    {
        try
        {
            if (Convert.FromHexString(text) is { Length: >= 1 and <= EpochBinding.MaxNonceSize } nonce) return nonce;
        }
        catch (FormatException)
        {
            // said below
        }

        throw new FormatException($"--nonce is not 1 to {EpochBinding.MaxNonceSize} bytes in hexadecimal");
    }

    private static void Print(Epoch epoch, string file)
    {
        var evidence = Evidence.Decode(epoch.Evidence.Span);
        Console.WriteLine($"evidence     {file}: {epoch.Evidence.Length} bytes, sha-256 {epoch.EvidenceDigest}");
        Console.WriteLine($"kind         {Protocol.ReceiptJson.KindName(evidence.Kind)}{(evidence.Kind == EvidenceKind.Software ? ": development only, NOT trusted" : "")}");
        Console.WriteLine($"report data  {Convert.ToHexStringLower(evidence.ReportData)}");
    }

    private static string Json(Epoch epoch, string file)
    {
        var evidence = Evidence.Decode(epoch.Evidence.Span);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kind", Protocol.ReceiptJson.KindName(evidence.Kind));
            json.WriteString("file", file);
            json.WriteNumber("size", epoch.Evidence.Length);
            json.WriteString("sha256", epoch.EvidenceDigest.ToString());
            json.WriteString("epoch", epoch.Id.ToString());
            json.WriteString("address", epoch.Address.ToString());
            json.WriteString("reportData", Convert.ToHexStringLower(evidence.ReportData));
            json.WriteString("nonce", Convert.ToHexStringLower(EpochBinding.Decode(evidence.Binding.Span).Nonce.Span));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
