using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>The state after a record of the journal: what it takes to go on from there.</summary>
/// <param name="Position">The last record that is in it.</param>
/// <param name="Operations">Those in memory, in order (layout: <see cref="OperationBytes"/>).</param>
/// <param name="AnchoringEpochs">Epochs whose anchors are in the archive.</param>
/// <param name="Statements">Those in memory. Written by leaf, then by position in the journal.</param>
internal sealed record SnapshotContent(
    RecordPosition Position, ArchiveContents Archive, IReadOnlyList<Epoch> Epochs, IReadOnlyList<byte[]> Operations, IReadOnlyList<Hash256> AnchoringEpochs,
    IReadOnlyList<StatementCapture> Statements, TileTree Tree, byte[] Spending, IReadOnlyList<CarriedRecord> Carried);
