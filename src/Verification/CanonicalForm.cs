using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Step 1 of docs/formats.md, "Verification": what decodes must encode again to the same bytes.</summary>
internal static class CanonicalForm
{
    /// <summary>Null unless the bytes are a statement's canonical ones.</summary>
    public static Statement? Statement(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var statement = Formats.Statement.Decode(bytes);
            return statement.Encode().AsSpan().SequenceEqual(bytes) ? statement : null;
        }
        catch (Exception refused) when (refused is FormatException or InvalidOperationException)
        {
            // InvalidOperationException: a context that is longer than any encoder writes
            return null;
        }
    }

    public static (ReceiptBundle? Bundle, string Detail) Bundle(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var bundle = ReceiptBundle.Decode(bytes);
            return bundle.Encode().AsSpan().SequenceEqual(bytes) ? (bundle, "") : (null, "its bytes are not the canonical ones");
        }
        catch (FormatException refused)
        {
            return (null, refused.Message);
        }
    }

    public static (Receipt? Receipt, string Detail) Receipt(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var receipt = Formats.Receipt.Decode(bytes);
            return receipt.Encode().AsSpan().SequenceEqual(bytes) ? (receipt, "") : (null, "its bytes are not the canonical ones");
        }
        catch (FormatException refused)
        {
            return (null, refused.Message);
        }
    }
}
