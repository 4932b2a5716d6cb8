using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Keeping;
using OpenGradient.Engine.Settlement.Tests.Outbox;
using OpenGradient.Engine.Settlement.Tests.Postgres;

if (args is ["measure-postgres", .. var rest])
{
    await PostgresMeasurement.Run(rest is [var seconds] ? double.Parse(seconds, CultureInfo.InvariantCulture) : 3);
    return 0;
}

if (args is ["write-fixture", var fixture])
{
    await FixtureWriter.Write(Path.GetFullPath(fixture));
    return 0;
}

// Run by OutboxKillTests: appends until killed and prints the number of every acknowledged record.
if (args is not ["write-outbox", var folder]) return 2;
using var outbox = SegmentOutbox.Open(new LinuxDisk(), folder, OutboxKillTests.Options, new RecordingSink());
for (var number = 0; number < 400_000; number += 8) // an end, in case nobody is left to kill it
{
    var appends = Enumerable.Range(number, 8).Select(n => outbox.AppendAsync(1, OutboxCrashTests.Payload(n, 200))).ToArray();
    for (var i = 0; i < appends.Length; i++)
        if ((await appends[i]).IsDurable) Console.WriteLine((number + i).ToString(CultureInfo.InvariantCulture));
}

return 0;
