using System.Net;
using System.Net.Sockets;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>Free loopback ports below the range from which the kernel takes those of outgoing connections.</summary>
internal static class Ports
{
    private const int First = 15_000, Count = 15_000;
    private static int _next = Random.Shared.Next(Count);

    public static int Free()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken by somebody: the next one.
            }
        }
    }
}
