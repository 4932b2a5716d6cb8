using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

public sealed class SegmentContractTests : OutboxContract, IDisposable
{
    private const string Folder = "/data";
    private readonly SimulatedDisk _simulated = new(3);
    private readonly GatedDisk _disk;

    public SegmentContractTests() => _disk = new GatedDisk(_simulated);

    public void Dispose() => _disk.Dispose();

    protected override IOutbox Open(IRecordSink sink, OutboxOptions options) => SegmentOutbox.Open(_disk, Folder, options, sink);

    protected override void Hold() => _disk.Close();

    protected override void LetGo() => _disk.Open();

    protected override void Damage(RecordPosition position)
    {
        var bytes = _simulated.Snapshot(FileOf(position));
        bytes[position.Offset + 100] ^= 1;
        _simulated.Overwrite(FileOf(position), bytes);
    }

    protected override void Remove(RecordPosition position) => _simulated.Delete(FileOf(position));

    private static string FileOf(RecordPosition position) => $"{Folder}/outbox-{position.Segment:D8}.seg";
}
