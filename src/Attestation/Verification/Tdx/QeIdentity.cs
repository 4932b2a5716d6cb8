namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Intel's identity of the TD quoting enclave, version 2.</summary>
internal sealed record QeIdentity
{
    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    public required int EvaluationNumber { get; init; }

    public required byte[] MiscSelect { get; init; }

    public required byte[] MiscSelectMask { get; init; }

    public required byte[] Attributes { get; init; }

    public required byte[] AttributesMask { get; init; }

    public required byte[] MrSigner { get; init; }

    public required int ProductId { get; init; }

    public required IReadOnlyList<SvnLevel> Levels { get; init; }

    /// <exception cref="FormatException">Or another of <see cref="CollateralJson"/>'s.</exception>
    public static QeIdentity Read(ReadOnlyMemory<byte> json)
    {
        using var document = CollateralJson.Parse(json);
        var root = document.RootElement;
        if (CollateralJson.Text(root, "id") != "TD_QE") throw new FormatException("not for the TD quoting enclave");
        if (CollateralJson.Number(root, "version", int.MaxValue) != 2) throw new FormatException("not version 2");
        return new QeIdentity
        {
            IssueDate = CollateralJson.Time(root, "issueDate"), NextUpdate = CollateralJson.Time(root, "nextUpdate"),
            EvaluationNumber = CollateralJson.Number(root, "tcbEvaluationDataNumber", int.MaxValue),
            MiscSelect = CollateralJson.Hex(root, "miscselect", 4), MiscSelectMask = CollateralJson.Hex(root, "miscselectMask", 4),
            Attributes = CollateralJson.Hex(root, "attributes", 16), AttributesMask = CollateralJson.Hex(root, "attributesMask", 16),
            MrSigner = CollateralJson.Hex(root, "mrsigner", 32), ProductId = CollateralJson.Number(root, "isvprodid", ushort.MaxValue),
            Levels = SvnLevel.ReadAll(root),
        };
    }

    /// <summary>Adds a reason for each field of the report that is not this enclave's.</summary>
    public void Check(QeReport report, ReasonList reasons)
    {
        if (!Masked.Equal(report.MiscSelect.Span, MiscSelectMask, MiscSelect)) Refuse("MISCSELECT");
        if (!Masked.Equal(report.Attributes.Span, AttributesMask, Attributes)) Refuse("attributes");
        if (!report.MrSigner.Span.SequenceEqual(MrSigner)) Refuse("MRSIGNER");
        if (report.ProductId != ProductId) Refuse("product");

        void Refuse(string field) => reasons.Refuse(AttestationCheck.Platform, $"the quoting enclave's {field} is not the identity's");
    }
}

/// <summary>Comparison of some of the bits.</summary>
internal static class Masked
{
    /// <summary>True where the value's bits under the mask are exactly these.</summary>
    public static bool Equal(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> expected)
    {
        for (var index = 0; index < value.Length; index++)
        {
            if ((value[index] & mask[index]) != expected[index]) return false;
        }

        return true;
    }
}
