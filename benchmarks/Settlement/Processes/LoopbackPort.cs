using System.Net;
using System.Net.Sockets;

namespace OpenGradient.Engine.Benchmarks.Settlement.Processes;

/// <summary>Ports that stay free while a process is away: below the range from which the kernel takes those of outgoing connections.</summary>
internal static class LoopbackPort
{
    private const int First = 15_000, Count = 15_000;

    public static int Free()
    {
        while (true)
        {
            var port = First + Random.Shared.Next(Count);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken by somebody: another one.
            }
        }
    }
}
