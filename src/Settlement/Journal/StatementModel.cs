using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>The model that a statement names, read where it lies: what the gap's figures are told apart by.</summary>
internal static class StatementModel
{
    /// <summary>UTF-8; empty when the statement names none that can be read, which is the verifier's to object to.</summary>
    public static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> statement)
    {
        try
        {
            var body = new CborReader(statement[(Statement.HeaderSize + Statement.SignatureSize)..]);
            body.Map();
            body.Key(1);
            var context = new CborReader(body.Bytes());
            context.Map();
            context.Key(1);
            return context.TextBytes();
        }
        catch (FormatException)
        {
            return default;
        }
    }
}
