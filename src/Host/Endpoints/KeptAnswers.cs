using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>
/// Answers whose release took longer than their caller waited, until they are fetched or their time is over; none makes room
/// for another. Bounded by asking <see cref="HasRoom"/> before anything is executed. Safe for concurrent calls.
/// </summary>
public sealed class KeptAnswers
{
    /// <summary>Answers are a few kilobytes: this holds tens of thousands. What is being executed when it is reached is kept too.</summary>
    public const long MaxBytes = 64 << 20;

    /// <summary>A caller that has not come back in an hour has its receipt's id still.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly AnswerFolder? _folder;
    private readonly Dictionary<ReceiptId, Kept> _answers = [];
    private readonly Queue<(ReceiptId Id, DateTimeOffset Since)> _order = new();

    // A sync takes milliseconds: more than a few of them at once would hold the pool's threads and not the disk's head.
    private readonly TaskFactory _writing = new(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, 4).ConcurrentScheduler);
    private long _bytes;

    /// <param name="folder">Keeps them over a restart; null keeps them in memory alone.</param>
    /// <exception cref="DiskException">The folder cannot be read.</exception>
    public KeptAnswers(TimeProvider clock, AnswerFolder? folder)
    {
        (_clock, _folder) = (clock, folder);
        foreach (var (id, since, length) in folder?.Load() ?? [])
        {
            _answers[id] = new(null, length);
            _order.Enqueue((id, since));
            _bytes += length;
        }

        lock (_gate) Trim();
    }

    /// <summary>False: a request that may have to be kept is better not begun.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                Trim();
                return _bytes < MaxBytes;
            }
        }
    }

    /// <summary>Returns when the answer is on disk, or in memory where there is no folder or the disk does not take it.</summary>
    public async Task KeepAsync(ReceiptId id, InferAnswer answer)
    {
        var since = _clock.GetUtcNow();
        lock (_gate)
        {
            if (!_answers.TryAdd(id, new(answer, answer.Body.Length))) return;
            _order.Enqueue((id, since));
            _bytes += answer.Body.Length;
            Trim();
        }

        if (_folder is null) return;
        try
        {
            await _writing.StartNew(() => _folder.Write(id, since, answer)).ConfigureAwait(false);
        }
        catch (DiskException)
        {
            return; // stays in memory
        }

        lock (_gate)
        {
            if (_answers.ContainsKey(id))
            {
                _answers[id] = new(null, answer.Body.Length);
                return;
            }
        }

        _folder.Delete(id); // fetched while it was being written
    }

    /// <summary>A kept answer, null when none is kept.</summary>
    public InferAnswer? Find(ReceiptId id)
    {
        Kept kept;
        lock (_gate)
        {
            Trim();
            if (!_answers.TryGetValue(id, out kept)) return null;
        }

        return kept.Answer ?? _folder?.Read(id);
    }

    /// <summary>Forgets and erases an answer that has reached its caller.</summary>
    public void Forget(ReceiptId id)
    {
        lock (_gate) Remove(id);
    }

    private void Trim()
    {
        while (_order.TryPeek(out var oldest) && (!_answers.ContainsKey(oldest.Id) || _clock.GetUtcNow() - oldest.Since > MaxAge))
        {
            _order.Dequeue();
            Remove(oldest.Id);
        }
    }

    private void Remove(ReceiptId id)
    {
        if (!_answers.Remove(id, out var kept)) return;
        _bytes -= kept.Length;
        _folder?.Delete(id);
    }

    /// <param name="Answer">Null once it is on disk.</param>
    private readonly record struct Kept(InferAnswer? Answer, long Length);
}
