using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>A receipt taken apart: its statement and its row, which belong together.</summary>
internal sealed record ReceiptContent(Statement Statement, RowLeaf Leaf)
{
    /// <summary>Null, with every reason, when receipt and statement do not belong together.</summary>
    public static ReceiptContent? Read(Receipt receipt, out IReadOnlyList<VerificationFailure> failures)
    {
        var found = new FailureList();
        ReceiptContent? content = null;
        if (receipt.Leaf.Length != RowLeaf.Size)
        {
            found.Add(VerificationReason.ReceiptMalformed, $"the row leaf is {receipt.Leaf.Length} bytes, not {RowLeaf.Size}");
        }
        else if (CanonicalForm.Statement(receipt.Statement.Span) is not { } statement)
        {
            found.Add(VerificationReason.StatementMalformed, "the statement's bytes are not a statement's canonical ones");
        }
        else
        {
            RowCheck.Run(receipt, statement, expected: null, found);
            content = new ReceiptContent(statement, RowLeaf.Decode(receipt.Leaf.Span));
        }

        failures = found.ToArray();
        return failures.Count == 0 ? content : null;
    }
}
