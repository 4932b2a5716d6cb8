using System.Text;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Secret keys stay in their files: nothing that is printed, answered or written elsewhere holds one, also where a key is at fault.</summary>
public sealed class KeyLeakTests
{
    [ChainFact]
    public async Task Keys_WhateverIsPrintedAnsweredOrWritten_AreNowhereButInTheirFiles()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var secrets = Secrets(installation);
        var seen = new List<(string Where, byte[] What)>();
        void Take(string where, byte[] what) => seen.Add((where, what));
        void TakeText(string where, string what) => Take(where, Encoding.UTF8.GetBytes(what));

        await using (var host = await installation.Serve("settlement.tickMs=10"))
        {
            var receipt = (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200).Receipt;
            Take("bundle", await host.Bundle(receipt));
            foreach (var path in new[] { "v1/overview", "v1/evidence", "log/checkpoint", $"v1/receipts/{receipt.Id}", "", "v1/receipts/nonsense", "v2/models/digits" })
                Take(path, (await host.Get(path)).Body);
            Take("metrics", await host.Http.GetByteArrayAsync(new Uri(host.OperatorUrl + "metrics")));
            Take("bad request", (await host.Infer("digits", "{\"inputs\":1}")).Body);
            await Run("doctor", "doctor", "--config", installation.Config);
            await Run("admin", "chain", "admin", "show", "--config", installation.Config);
            await Run("halt", "chain", "admin", "halt", "--config", installation.Config, "--log", installation.LogId.ToString());
            await Run("resume", "chain", "admin", "resume", "--config", installation.Config);
            await Run("refused", "chain", "admin", "accept", "--config", installation.Config);
            TakeText("the host's output", host.Printed);
        }

        await Run("check", "config", "check", "--config", installation.Config);
        foreach (var file in Directory.EnumerateFiles(installation.Root, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(Path.GetDirectoryName(file)) != "keys"))
            Take(file, await File.ReadAllBytesAsync(file));

        // Keys at fault: too long, too short, with a digit that is none, others' to read, or not fitting the folder.
        foreach (var (key, whole) in Directory.EnumerateFiles(Path.Combine(installation.Root, "keys")).Select(key => (key, File.ReadAllBytes(key))).ToArray())
        {
            foreach (var broken in new byte[][] { [.. whole[..^2]], [.. whole, .. whole], [.. whole[..10], (byte)'x', .. whole[11..]] })
            {
                await File.WriteAllBytesAsync(key, broken);
                await Run("broken " + key, "serve", "--config", installation.Config, "--set", $"http.listen=http://127.0.0.1:{Ports.Free()}", "--set", $"operatorListen=http://127.0.0.1:{Ports.Free()}");
            }

            await File.WriteAllBytesAsync(key, whole);
            var mode = File.GetUnixFileMode(key);
            File.SetUnixFileMode(key, mode | UnixFileMode.OtherRead);
            await Run("open " + key, "serve", "--config", installation.Config);
            File.SetUnixFileMode(key, mode);
        }

        Assert.True(seen.Count > 25);
        Assert.Contains(seen, one => one.What.AsSpan().IndexOf("error:"u8) >= 0); // the faults did bite
        foreach (var (where, what) in seen)
            foreach (var (name, secret) in secrets)
                Assert.True(what.AsSpan().IndexOf(secret) < 0, $"{name} is in {where}");

        async Task Run(string where, params string[] arguments)
        {
            var ended = await Og.Run(arguments);
            TakeText(where, ended.Output + ended.Error);
        }
    }

    /// <summary>Every key of the folder in each form in which one could slip out. Sixteen bytes of one are enough to be caught.</summary>
    private static List<(string Name, byte[] Secret)> Secrets(Installation installation)
    {
        var secrets = new List<(string, byte[])>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(installation.Root, "keys")))
        {
            var text = File.ReadAllText(file).Trim();
            var key = Convert.FromHexString(text);
            Assert.Equal(32, key.Length);
            foreach (var half in new[] { key[..16], key[16..] })
            {
                var hexadecimal = Convert.ToHexStringLower(half);
                secrets.Add((Path.GetFileName(file), half));
                secrets.Add((Path.GetFileName(file) + " in hexadecimal", Encoding.ASCII.GetBytes(hexadecimal)));
                secrets.Add((Path.GetFileName(file) + " in capitals", Encoding.ASCII.GetBytes(hexadecimal.ToUpperInvariant())));
            }

            secrets.Add((Path.GetFileName(file) + " in base64", Encoding.ASCII.GetBytes(Convert.ToBase64String(key)[..40])));
        }

        Assert.True(secrets.Count >= 21);
        return secrets;
    }
}
