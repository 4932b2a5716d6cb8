using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>A row as it was executed, kept for an audit. Copies: whoever has it may keep it.</summary>
/// <param name="Input">The request's tensors (<see cref="TensorSetBytes"/>).</param>
/// <param name="Output">The answer's.</param>
public sealed record RetainedRow(Receipt Receipt, ReadOnlyMemory<byte> Input, ReadOnlyMemory<byte> Output);

/// <summary>What retention holds now, and what it let go.</summary>
/// <param name="Rows">Rows held.</param>
/// <param name="Bytes">Bytes they take.</param>
/// <param name="Dropped">Rows that found no room, since the process began.</param>
/// <param name="Expired">Rows whose window passed before a draw, since the process began.</param>
/// <param name="Erased">Rows erased because somebody asked, since the process began.</param>
public sealed record RetentionReport(long Rows, long Bytes, long Dropped, long Expired, long Erased);

/// <summary>
/// Keeps the inputs and outputs of sealed rows until their draw is over. Bounded by bytes and by age: what finds no room is
/// not kept, so that under a load that no bound holds some rows stay until their draw, instead of all being pushed out before
/// it. Safe for concurrent calls.
/// </summary>
public interface IRowRetention : IExecutionTap, IDisposable
{
    RetentionReport Report { get; }

    /// <summary>A row; null when it is not kept.</summary>
    RetainedRow? Find(in Hash256 statement, uint row);

    /// <summary>Whether a row is not there because somebody asked for its erasure.</summary>
    bool IsErased(in Hash256 statement, uint row);

    /// <summary>The draw of a statement is over: only these rows are still needed.</summary>
    void KeepOnly(in Hash256 statement, IReadOnlyCollection<uint> rows);

    /// <summary>Erases one row. False when it is not kept.</summary>
    bool Erase(in Hash256 statement, uint row);

    /// <summary>Erases everything. Returns how many rows that were.</summary>
    long EraseAll();

    /// <summary>Lets go of what is older than the window. Called every now and then by one thread.</summary>
    void Sweep();
}

/// <summary>Keeps nothing.</summary>
public sealed class NoRetention : IRowRetention
{
    public static NoRetention Instance { get; } = new();

    public RetentionReport Report { get; } = new(0, 0, 0, 0, 0);

    public void Sealed(SealedBatch batch, ReadOnlySpan<RowView> rows)
    {
    }

    public RetainedRow? Find(in Hash256 statement, uint row) => null;

    public bool IsErased(in Hash256 statement, uint row) => false;

    public void KeepOnly(in Hash256 statement, IReadOnlyCollection<uint> rows)
    {
    }

    public bool Erase(in Hash256 statement, uint row) => false;

    public long EraseAll() => 0;

    public void Sweep()
    {
    }

    public void Dispose()
    {
    }
}
