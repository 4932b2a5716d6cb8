using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>What an audit says of one row: an annotation, never a stage.</summary>
/// <param name="Statement">The statement's id.</param>
/// <param name="Leaf">The statement's leaf in the log.</param>
/// <param name="Row">The row's index in the statement.</param>
/// <param name="Reason">Why nothing can be said, with <see cref="AuditOutcome.NotReproducible"/>.</param>
/// <param name="At">When it was recorded, nanoseconds since 1970.</param>
/// <param name="Beacon">The block whose hash decided the draw.</param>
/// <param name="OneIn">The rate of the draw: one row in so many.</param>
/// <param name="Operation">The anchor that was drawn for.</param>
/// <param name="Detail">For people; may be empty.</param>
public sealed record AuditedRow(
    Hash256 Statement, ulong Leaf, uint Row, AuditOutcome Outcome, AuditReason Reason, ulong At, AuditBeacon Beacon, uint OneIn, ulong Operation, string Detail);

/// <summary>A final anchor, as a draw needs it.</summary>
/// <param name="Operation">Its number in the journal.</param>
/// <param name="FirstLeaf">First leaf that it and no earlier one proves.</param>
/// <param name="Block">The block that it is in.</param>
public sealed record AuditableAnchor(ulong Operation, ulong FirstLeaf, ulong Size, Hash256 Root, ulong ChainId, ulong Block);

/// <summary>A statement that an anchor covers.</summary>
public readonly record struct AuditableStatement(ulong Leaf, Hash256 Id, uint Receipts);

/// <summary>A draw that was made.</summary>
/// <param name="Rows">Rows that it picked.</param>
/// <param name="At">Nanoseconds since 1970.</param>
public sealed record AnchorDraw(AuditableAnchor Anchor, AuditBeacon Beacon, uint OneIn, int Rows, ulong At);

/// <summary>Rows by outcome since the journal began, and what waits.</summary>
/// <param name="Rows">Rows with this outcome now; a row that was concluded is no longer sampled.</param>
/// <param name="Reasons">Of the rows that nothing can be said of, why.</param>
public sealed record AuditTotals(IReadOnlyDictionary<AuditOutcome, long> Rows, IReadOnlyDictionary<AuditReason, long> Reasons, long Draws);

/// <summary>An epoch whose key signs nothing more.</summary>
/// <param name="At">Nanoseconds since 1970.</param>
/// <param name="Statement">The statement that did not hold.</param>
public sealed record EpochHalt(Hash256 Epoch, ulong At, Hash256 Statement, string Reason);
