using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og bundle RECEIPT</c>: fetches everything that an auditor needs into one file.</summary>
internal static class BundleCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file: a bare receipt, or a bundle of an earlier stage" };
        var url = CommonOptions.Url();
        var key = CommonOptions.ApiKeyFile();
        var output = new Option<string?>("--output") { Description = "File to write; the receipt's name with .ogb by default" };
        var size = new Option<string?>("--size") { Description = "Prove it under a later anchor: 'newest', or the size of an anchored checkpoint" };
        var command = new Command("bundle", "Write a receipt with its whole proof to one file, which og verify checks without this host") { file, url, key, output, size };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file)!;
            var receipt = ReceiptFiles.Read(path).Receipt;
            using var client = HostClient.Connect(parsed.GetValue(url)!, parsed.GetValue(key));
            var bundle = await client.Bundle(receipt, cancellation, parsed.GetValue(size));
            // The host gives the proof; whose receipt it is was known before.
            if (!bundle.Receipt.Encode().AsSpan().SequenceEqual(receipt.Encode())) throw new FormatException("the host answered with the bundle of another receipt");
            await ReceiptFiles.Write(parsed.GetValue(output) ?? Path.ChangeExtension(path, ".ogb"), bundle, cancellation);
            Console.WriteLine(bundle switch
            {
                { Anchor: null } => "not anchored yet: fetch it again later",
                { Cosignatures.IsEmpty: true } => $"anchored in block {bundle.Anchor.BlockNumber}; no witness has cosigned its checkpoint",
                _ => $"anchored in block {bundle.Anchor.BlockNumber}; its checkpoint is cosigned by {string.Join(", ", Formats.CheckpointNote.ParseSignatures(bundle.Cosignatures.Span).Select(line => line.Name))}",
            });
            return bundle.Anchor is null ? ExitCodes.NotYet : ExitCodes.Ok;
        });
        return command;
    }
}
