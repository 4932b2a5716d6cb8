using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Determinism;

/// <summary>How many rows a call executes for the rows that callers sent. Rows added are zeros.</summary>
/// <param name="MinimumRows">A call executes at least this many; 1 for no minimum.</param>
/// <param name="Multiple">A call executes a multiple of this, unless the minimum is larger; 1 for any number.</param>
public readonly record struct PaddingRule(int MinimumRows, int Multiple)
{
    /// <summary>Calls execute the callers' rows and no more.</summary>
    public static PaddingRule None { get; } = new(1, 1);

    /// <summary>The rule that a statement names.</summary>
    public static PaddingRule Of(StatementContext context) => new((int)context.MinimumRows, (int)context.PaddingMultiple);

    /// <summary>Whether rows are ever added.</summary>
    public bool Pads => MinimumRows > 1 || Multiple > 1;

    /// <summary>Rows that a call executes for this many rows of callers.</summary>
    public int RowsFor(int rows) => Math.Max(MinimumRows, checked(rows + Multiple - 1) / Multiple * Multiple);

    /// <summary>The rule in words, for logs.</summary>
    public override string ToString() => (MinimumRows > 1, Multiple > 1) switch
    {
        (false, false) => "no padding",
        (true, false) => $"at least {MinimumRows} rows",
        (false, true) => $"a multiple of {Multiple} rows",
        _ => $"a multiple of {Multiple} rows, at least {MinimumRows}",
    };
}
