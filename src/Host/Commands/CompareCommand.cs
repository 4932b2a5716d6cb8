using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Custody;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og audit compare A B</c>: whether two files convict a key, and what the contract needs for it.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var first = new Argument<string>("a") { Description = "A bundle, a receipt, or a checkpoint note" };
        var second = new Argument<string>("b") { Description = "Another" };
        var output = new Option<string>("--output") { Description = "Where the evidence is written", DefaultValueFactory = _ => "equivocation.json" };
        var command = new Command("compare", "Compare two bundles, receipts or checkpoint notes: do they convict a key of signing two things for one position?") { first, second, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (a, b) = (Signed.Read(parsed.GetValue(first)!), Signed.Read(parsed.GetValue(second)!));
            if (Find(a, b) is not { } twice)
            {
                Console.WriteLine("no contradiction: nothing here was signed twice for one position");
                return ExitCodes.Ok;
            }

            Console.WriteLine(twice.Text);
            await EquivocationFile.Write(parsed.GetValue(output)!, twice, cancellation);
            return ExitCodes.Failed;
        });
        return command;
    }

    private static Equivocation? Find(Signed a, Signed b)
    {
        if (a.Bundle is { } left && b.Bundle is { } right && Equivocation.Between(left, right) is { } twice) return twice;
        if (a.Note is not { } x || b.Note is not { } y || x.Origin != y.Origin || x.Size != y.Size || x.Root == y.Root) return null;
        // Whose signatures they are can be told only where a file shows the log's key; a forged note convicts nobody.
        if ((a.Bundle ?? b.Bundle)?.Checkpoint is { } shown)
        {
            var (key, signatures) = (SignedNote.KeyOf(shown.LogPublicKey.Span), new NativeSignatures(AttestationShim.Load()));
            if (x.Check(key, signatures) != SignatureStanding.Valid || y.Check(key, signatures) != SignatureStanding.Valid) throw new FormatException("one of the two notes is not signed by the log's key: it convicts nobody");
        }

        return Equivocation.OfNotes(x.Origin, x.Size, a.NoteBytes, b.NoteBytes);
    }

    /// <summary>A file's signed things.</summary>
    private sealed record Signed(ReceiptBundle? Bundle, CheckpointNote? Note, ReadOnlyMemory<byte> NoteBytes)
    {
        public static Signed Read(string file)
        {
            if (!File.Exists(file)) throw new FormatException($"file '{file}' does not exist");
            if (new FileInfo(file).Length > ReceiptBundle.MaxSize) throw new FormatException($"file '{file}' is larger than {ReceiptBundle.MaxSize} bytes");
            var bytes = File.ReadAllBytes(file);
            if (!bytes.AsSpan().StartsWith("OGE "u8)) return new(null, CheckpointNote.Parse(bytes), bytes);
            var bundle = ReceiptFiles.Read(file);
            return new(bundle, bundle.Checkpoint is { } shown ? CheckpointNote.Parse(shown.Note.Span) : null, bundle.Checkpoint?.Note ?? default);
        }
    }
}

/// <summary>What convicts a key, as a file that any wallet can send on.</summary>
internal static class EquivocationFile
{
    public static async Task Write(string path, Equivocation twice, CancellationToken cancellation)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kind", twice.Kind switch { EquivocationKind.Checkpoint => "checkpoint", EquivocationKind.Statement => "statement", _ => "log-key" });
            json.WriteString("text", twice.Text);
            if (twice.Contract is { } contract)
            {
                json.WriteString("to", contract.ToString());
                json.WriteString("data", "0x" + Convert.ToHexStringLower(twice.Call.Span));
            }

            json.WriteString("first", Convert.ToBase64String(twice.First.Span));
            json.WriteString("second", Convert.ToBase64String(twice.Second.Span));
            json.WriteEndObject();
        }

        await File.WriteAllTextAsync(path, Encoding.UTF8.GetString(buffer.ToArray()) + "\n", cancellation);
        Console.WriteLine(twice.Contract is null ? $"wrote {path}: both notes" : $"wrote {path}: send its data to {twice.Contract} from any account to convict the key");
    }
}
