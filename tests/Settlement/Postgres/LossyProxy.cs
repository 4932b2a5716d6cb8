using System.Net;
using System.Net.Sockets;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>A TCP proxy in front of a server that, when armed, passes on what the client sends and cuts before the answer arrives.</summary>
internal sealed class LossyProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly byte[] _marker;
    private int _armed;
    private int _cuts;

    /// <param name="target">The server's port.</param>
    /// <param name="marker">Only what contains these bytes is cut.</param>
    public LossyProxy(int target, byte[] marker)
    {
        (_target, _marker) = (target, marker);
        _listener.Start();
        _ = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>The answer to the next request with the marker is lost.</summary>
    public void LoseNextAnswer() => Volatile.Write(ref _armed, 1);

    public void Dispose() => _listener.Stop();

    private async Task Accept()
    {
        try
        {
            while (true) _ = Serve(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Serve(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target);
                var mute = new CancellationTokenSource();
                await Task.WhenAny(Requests(client.GetStream(), server.GetStream(), mute), Answers(server.GetStream(), client.GetStream(), mute.Token));
            }
            catch (Exception cut) when (cut is IOException or SocketException or ObjectDisposedException)
            {
                // Either side left.
            }
        }
    }

    private async Task Requests(NetworkStream from, NetworkStream to, CancellationTokenSource mute)
    {
        var buffer = new byte[1 << 20];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            var cut = buffer.AsSpan(0, read).IndexOf(_marker) >= 0 && Interlocked.Exchange(ref _armed, 0) == 1;
            if (cut) await mute.CancelAsync();
            await to.WriteAsync(buffer.AsMemory(0, read));
            if (!cut) continue;
            // The server has the whole statement; what it answers arrives nowhere.
            _ = await to.ReadAsync(buffer);
            Interlocked.Increment(ref _cuts);
            return;
        }
    }

    private static async Task Answers(NetworkStream from, NetworkStream to, CancellationToken mute)
    {
        var buffer = new byte[1 << 20];
        try
        {
            while (await from.ReadAsync(buffer, mute) is > 0 and var read) await to.WriteAsync(buffer.AsMemory(0, read), mute);
        }
        catch (OperationCanceledException)
        {
            await Task.Delay(Timeout.Infinite, CancellationToken.None); // the other direction ends it
        }
    }
}
