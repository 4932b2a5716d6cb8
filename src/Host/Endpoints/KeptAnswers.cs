using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Answers whose release took longer than their caller waited. Bounded in bytes and time: past either the oldest go first.</summary>
internal sealed class KeptAnswers(TimeProvider clock)
{
    // Answers are a few kilobytes; this holds tens of thousands. A caller that has not come back in an hour has its receipt's id still.
    private const long MaxBytes = 64 << 20;
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ReceiptId, InferAnswer> _answers = [];
    private readonly Queue<(ReceiptId Id, DateTimeOffset Since)> _order = new();
    private long _bytes;

    public void Keep(ReceiptId id, InferAnswer answer)
    {
        lock (_gate)
        {
            if (!_answers.TryAdd(id, answer)) return;
            _order.Enqueue((id, clock.GetUtcNow()));
            _bytes += answer.Body.Length;
            Trim();
        }
    }

    /// <summary>A kept answer, null when none is kept.</summary>
    public InferAnswer? Find(ReceiptId id)
    {
        lock (_gate)
        {
            Trim();
            return _answers.GetValueOrDefault(id);
        }
    }

    /// <summary>Forgets an answer that has reached its caller.</summary>
    public void Forget(ReceiptId id)
    {
        lock (_gate)
            if (_answers.Remove(id, out var answer)) _bytes -= answer.Body.Length;
    }

    private void Trim()
    {
        while (_order.TryPeek(out var oldest) && (_bytes > MaxBytes || clock.GetUtcNow() - oldest.Since > MaxAge))
        {
            _order.Dequeue();
            if (_answers.Remove(oldest.Id, out var answer)) _bytes -= answer.Body.Length;
        }
    }
}
