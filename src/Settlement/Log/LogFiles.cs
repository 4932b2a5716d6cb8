using System.Net;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>A log's published files, wherever they are. Safe for concurrent calls.</summary>
public interface ILogFiles
{
    /// <summary>The file's bytes, or null when there is none.</summary>
    /// <param name="path">Relative, as <see cref="TilePath"/> gives it.</param>
    /// <param name="limit">A longer file is refused.</param>
    /// <exception cref="LogUnreachableException">Whether the file is there could not be found out.</exception>
    Task<byte[]?> ReadAsync(string path, int limit, CancellationToken cancellationToken);

    /// <summary>Widths of the partial files beside a full tile or bundle, where they can be listed.</summary>
    IReadOnlyList<int> PartialWidths(string fullPath);

    /// <summary>How the file is called in messages.</summary>
    string NameOf(string path);
}

/// <summary>A published log does not answer, or with something else than a file.</summary>
public sealed class LogUnreachableException : IOException
{
    public LogUnreachableException(string message) : base(message) { }

    public LogUnreachableException() { }

    public LogUnreachableException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>A log's folder on this machine, opened for reading alone.</summary>
public sealed class FolderLogFiles(string folder) : ILogFiles
{
    public async Task<byte[]?> ReadAsync(string path, int limit, CancellationToken cancellationToken)
    {
        try
        {
            using var file = File.OpenHandle(Path.Combine(folder, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(file);
            if (length > limit) return await ReadAsync(file, limit + 1, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(file, (int)length, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public IReadOnlyList<int> PartialWidths(string fullPath)
    {
        var partials = Path.Combine(folder, fullPath + ".p");
        if (!Directory.Exists(partials)) return [];
        return [.. Directory.EnumerateFiles(partials).Select(Path.GetFileName).Select(name => int.TryParse(name, out var width) ? width : 0).Where(width => width is > 0 and < TilePath.Width).Order()];
    }

    public string NameOf(string path) => Path.Combine(folder, path);

    private static async Task<byte[]> ReadAsync(Microsoft.Win32.SafeHandles.SafeFileHandle file, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        var at = 0;
        while (at < length && await RandomAccess.ReadAsync(file, bytes.AsMemory(at), at, cancellationToken).ConfigureAwait(false) is > 0 and var read) at += read;
        return bytes[..at];
    }
}

/// <summary>A log over HTTP. Does not follow redirections, and reads no more than asked for.</summary>
/// <param name="prefix">The log's address; tiles are below it.</param>
/// <param name="timeout">For one file.</param>
public sealed class HttpLogFiles(HttpClient http, Uri prefix, TimeSpan timeout) : ILogFiles
{
    private readonly Uri _prefix = prefix.AbsoluteUri.EndsWith('/') ? prefix : new Uri(prefix.AbsoluteUri + "/");

    public async Task<byte[]?> ReadAsync(string path, int limit, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(timeout);
        try
        {
            using var response = await http.GetAsync(new Uri(_prefix, path), HttpCompletionOption.ResponseHeadersRead, limited.Token).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) return null;
            if (!response.IsSuccessStatusCode) throw new LogUnreachableException($"{NameOf(path)}: HTTP {(int)response.StatusCode}");
            return await LimitedBody.ReadAsync(response, limit, limited.Token).ConfigureAwait(false) ?? throw new LogUnreachableException($"{NameOf(path)}: more than {limit} bytes");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LogUnreachableException($"{NameOf(path)}: no answer within {timeout.TotalSeconds} s");
        }
        catch (Exception failure) when (failure is HttpRequestException or (IOException and not LogUnreachableException))
        {
            throw new LogUnreachableException($"{NameOf(path)}: {failure.Message}", failure);
        }
    }

    public IReadOnlyList<int> PartialWidths(string fullPath) => [];

    public string NameOf(string path) => new Uri(_prefix, path).AbsoluteUri;
}

/// <summary>Reads a response's body up to a limit.</summary>
internal static class LimitedBody
{
    /// <summary>Null when there is more than <paramref name="limit"/> bytes.</summary>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage response, int limit, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var body = new MemoryStream();
        var chunk = new byte[16 << 10];
        for (int count; (count = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (body.Length + count > limit) return null;
            body.Write(chunk, 0, count);
        }

        return body.ToArray();
    }
}
