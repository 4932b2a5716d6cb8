namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>Columns padded with blanks, numbers as they come.</summary>
internal static class TextTable
{
    public static IEnumerable<string> Lines(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows.Max(row => row.Length)).Select(column => rows.Max(row => column < row.Length ? row[column].Length : 0)).ToArray();
        foreach (var row in rows) yield return string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();
    }

    public static void Print(IReadOnlyList<string[]> rows)
    {
        foreach (var line in Lines(rows)) Console.Out.WriteLine(line);
    }
}
