namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Reads sorted runs as one sorted sequence.</summary>
internal static class KeyMerge
{
    public static IEnumerable<ArchiveKey> Of(IEnumerable<KeyRun> runs)
    {
        var cursors = runs.Where(run => run.Name.Count > 0).Select(run => new Cursor(run)).ToArray();
        var left = cursors.Length;
        while (left > 0)
        {
            var least = 0;
            for (var i = 1; i < left; i++)
                if (cursors[i].Key.CompareTo(cursors[least].Key) < 0) least = i;
            yield return cursors[least].Key;
            if (!cursors[least].MoveNext()) (cursors[least], left) = (cursors[left - 1], left - 1);
        }
    }

    private sealed class Cursor
    {
        private readonly KeyRun _run;
        private readonly byte[] _page = new byte[KeyRun.PageSize];
        private ulong _next;
        private int _index;
        private int _count;

        public Cursor(KeyRun run)
        {
            _run = run;
            MoveNext();
        }

        public ArchiveKey Key { get; private set; }

        public bool MoveNext()
        {
            if (_index == _count)
            {
                if (_next * KeyRun.PerPage >= _run.Name.Count) return false;
                (_count, _index) = (_run.ReadPage(_next++, _page), 0);
            }

            Key = KeyRun.KeyAt(_page, _index++);
            return true;
        }
    }
}
