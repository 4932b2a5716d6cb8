namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>What a journal record says. Numbers are on disk: never reused.</summary>
internal static class RecordType
{
    public const byte Statement = 1;
    public const byte Verified = 2;
    public const byte Quarantined = 3;
    public const byte Sequenced = 4;
    public const byte EpochAnnounced = 5;
    public const byte OperationOpened = 6;
    public const byte Attempted = 7;
    public const byte Included = 8;
    public const byte Finalized = 9;
    public const byte Reopened = 10;
    public const byte Abandoned = 11;
    public const byte Batch = 12;
    public const byte Audited = 13;
    public const byte EpochHalted = 14;
    public const byte Spent = 16;
    public const byte Dated = 18;
    public const byte Cosigned = 19;
}
