using System.Net;
using System.Net.Sockets;

namespace OpenGradient.Engine.Tests;

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

    /// <summary>
    /// A free port whose successor is free as well, of a range from which neither <see cref="Free"/> nor the kernel takes: what a
    /// script is told keeps free until it has built and listens.
    /// </summary>
    public static int Pair()
    {
        while (true)
        {
            var port = Random.Shared.Next(15_050, 16_350) * 2;
            if (IsFree(port) && IsFree(port + 1)) return port;
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
