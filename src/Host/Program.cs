Console.WriteLine("og");
